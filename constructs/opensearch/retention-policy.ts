import { all } from "../container/validation";
import type { DriftPolicy } from "../init-sidecar/drift-policy";
import {
  type Body,
  type Check,
  check,
  commonChecks,
  type DeclaredResource,
  type DeclaredResourceProps,
  isObject,
  nameOfFile,
  readBody,
  resourceFile,
  resourceFiles,
  unknownKeys,
  wholeNumbers,
} from "./declared-resource";
import { refusalOfIndexPattern } from "./index-name";
import { policyOfRule, type Retention, validateRetention } from "./retention";
import type { RetentionPolicyBody } from "./retention-policy-body";
import { stateChecks } from "./retention-policy-states";

/**
 * What happens to indices that the policy manages already when its declaration changes.
 *
 * - `keep`: they follow the version of the policy with which they started.
 * - `change`: os-init tells OpenSearch to change them (`change_policy`). They follow the new version from the next run of index state
 *   management, which is every 5 to 8 minutes, unless they are between two states. The next run of os-init changes those.
 */
export type ManagedIndices = "keep" | "change";

export interface RetentionPolicyProps
  extends Pick<DeclaredResourceProps, "onDrift" | "dataStreams"> {
  /**
   * What happens to indices that the policies manage already when a policy changes.
   *
   * @default "keep"
   */
  readonly managedIndices?: ManagedIndices;
}

const KEYS = ["description", "default_state", "states", "ism_template", "error_notification"];

/** What a response of OpenSearch has, and a declaration must not have. */
const SET_BY_SERVER = ["policy_id", "last_updated_time", "schema_version", "user"];

/**
 * A policy of index state management, which rolls over and deletes indices. It exists once a deploy has succeeded, and is attached to
 * indices that match its `ism_template` when they are created. It is validated at synth.
 */
export class RetentionPolicy implements DeclaredResource {
  /**
   * Creates a policy from a JSON file, whose content is the body of the request that creates it: `{ "policy": { ... } }`. Its name is the
   * file name without `.json`. Throws if the name or the body is invalid.
   */
  static fromFile(path: string, props: RetentionPolicyProps = {}): RetentionPolicy {
    return new RetentionPolicy(nameOfFile(path), parseBody(path), props);
  }

  /** Creates a policy from every `*.json` of a directory and its subdirectories. Throws if another file is there. */
  static fromDirectory(path: string, props: RetentionPolicyProps = {}): RetentionPolicy[] {
    const files = resourceFiles(path, "retention-policy");
    return all(...files.map((file) => () => RetentionPolicy.fromFile(file, props)));
  }

  /**
   * Creates a policy for each index pattern of the short form, named like the pattern without `*` unless a rule has a `name`. Throws if one is invalid. With
   * overlapping patterns, the longer one applies, unless a rule has a `priority`.
   */
  static fromRetention(retention: Retention, props: RetentionPolicyProps = {}): RetentionPolicy[] {
    validateRetention(retention);
    return Object.entries(retention).map(([pattern, { managedIndices, ...rule }]) => {
      const { name, body } = policyOfRule(pattern, rule);
      return new RetentionPolicy(name, body, {
        ...props,
        managedIndices: managedIndices ?? props.managedIndices,
      });
    });
  }

  readonly kind = "retention-policy";
  readonly ingestPipelines = [];
  readonly onDrift: DriftPolicy;
  readonly managedIndices: ManagedIndices;

  /** The patterns of data streams and rollover aliases that the cluster has from elsewhere. */
  readonly dataStreams: readonly string[];

  private constructor(
    readonly name: string,
    readonly body: RetentionPolicyBody,
    props: RetentionPolicyProps,
  ) {
    this.onDrift = props.onDrift ?? "fail";
    this.managedIndices = props.managedIndices ?? "keep";
    this.dataStreams = props.dataStreams ?? [];
  }

  /** Renders whether os-init changes indices that the policy manages already. @internal */
  renderManagedIndices() {
    return resourceFile(this, "managed-indices", this.managedIndices);
  }
}

function parseBody(path: string): RetentionPolicyBody {
  const read = readBody(path, "retention-policy");
  const what = `retention policy ${path}`;
  all(
    ...unknownKeys(what, read, ["policy"]),
    check(
      isObject(read.policy),
      () =>
        `${what} has no policy: write the body of the request that creates it, such as { "policy": { "default_state": ... } }`,
    ),
  );
  const policy = read.policy as Body;
  // OpenSearch reads null as none.
  const { ism_template, ...others } = policy;
  const templates = ism_template ?? [];
  const { description = "", states } = policy;
  const found = Object.keys(policy).filter((key) => SET_BY_SERVER.includes(key));
  all(
    ...commonChecks(what, nameOfFile(path), policy, [...KEYS, ...SET_BY_SERVER], "any"),
    check(
      found.length === 0,
      () => `${what} has ${found.join(", ")}, which OpenSearch sets itself: remove it`,
    ),
    check(
      typeof description === "string",
      () => `${what} has the description ${JSON.stringify(description)}: it must be a text`,
    ),
    ...stateChecks(what, states, policy.default_state),
    ...(Array.isArray(templates) ? templates : [templates]).flatMap((template) =>
      templateChecks(what, template),
    ),
  );
  return {
    ...others,
    description,
    // OpenSearch reads one as a list of one.
    ...(ism_template != null && { ism_template: [templates].flat() }),
  } as unknown as RetentionPolicyBody;
}

function templateChecks(what: string, template: unknown): Check[] {
  const patterns = isObject(template) ? template.index_patterns : undefined;
  if (!isObject(template) || !Array.isArray(patterns) || patterns.length === 0) {
    return [
      check(
        false,
        () =>
          `${what} has an ism_template without index_patterns: list the index names that it applies to, such as ["logs-*"]`,
      ),
    ];
  }
  return [
    ...unknownKeys(`${what}: ism_template`, template, ["index_patterns", "priority"]),
    ...wholeNumbers(`${what}: ism_template`, template, "priority"),
    check(
      !patterns.every((pattern) => String(pattern).startsWith("-")),
      () =>
        `${what} has an ism_template that only excludes indices: ${patterns.join(", ")}. Add a pattern that it applies to, such as "*"`,
    ),
    ...patterns.map((pattern) =>
      check(
        // A "-" excludes indices.
        refusalOfIndexPattern(String(pattern).replace(/^-/, ""), "*") === undefined,
        () =>
          `${what} has the index pattern ${JSON.stringify(pattern)}: ${refusalOfIndexPattern(String(pattern).replace(/^-/, ""), "*")}`,
      ),
    ),
  ];
}
