import { patternsOverlap } from "./index-name";

/** JSON of which only the server knows the keys. */
type Body = Readonly<Record<string, unknown>>;

/** A state of a policy: its actions, and the conditions for the next state. */
export interface PolicyState {
  readonly name: string;
  readonly actions?: readonly Body[];
  readonly transitions?: readonly {
    readonly state_name: string;
    readonly conditions?: Body;
  }[];
}

/** The indices that a policy is attached to when they are created. */
export interface IsmTemplate {
  readonly index_patterns: readonly string[];
  readonly priority?: number;
}

/** Whether a policy with these patterns is attached to an index of this name. A pattern that starts with "-" excludes indices. */
export function isAttachedTo(index: string, patterns: readonly string[]): boolean {
  const [excluding, including] = [true, false].map((excludes) =>
    patterns.filter((pattern) => pattern.startsWith("-") === excludes),
  );
  return (
    including.some((pattern) => patternsOverlap(pattern, index)) &&
    !excluding.some((pattern) => patternsOverlap(pattern.slice(1), index))
  );
}

/** The body of a policy (https://docs.opensearch.org/latest/im-plugin/ism/policies/). */
export interface RetentionPolicyBody {
  readonly description?: string;
  readonly default_state: string;
  readonly states: readonly PolicyState[];
  readonly ism_template?: readonly IsmTemplate[];
  readonly error_notification?: unknown;
}
