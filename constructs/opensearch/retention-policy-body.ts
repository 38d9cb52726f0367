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

/** The body of a policy (https://docs.opensearch.org/latest/im-plugin/ism/policies/). */
export interface RetentionPolicyBody {
  readonly description?: string;
  readonly default_state: string;
  readonly states: readonly PolicyState[];
  readonly ism_template?: readonly IsmTemplate[];
  readonly error_notification?: unknown;
}
