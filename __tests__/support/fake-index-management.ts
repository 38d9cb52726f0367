import { patternsOverlap } from "../../constructs/opensearch/index-name";
import type { Json } from "./platform";
import { invalidIn, stateAsStored, templateAsStored } from "./policy-as-stored";

/** An index that a policy manages. */
export interface ManagedIndex {
  readonly policy: string;
  /** The version of the policy that it follows. */
  readonly seqNo: number;
  readonly failed?: string;
  /** Whether it is between two states. */
  readonly inTransition?: boolean;
  readonly state?: string;
  /** Whether it has no further state. OpenSearch does not run it again. */
  readonly isCompleted?: boolean;
}

interface Stored {
  readonly version: number;
  readonly seqNo: number;
  readonly policy: Json;
}

const LAST_UPDATED = 1_796_000_000_000;

/** The REST API of index state management, as its documentation and the plugin's source say: its defaults, spelling and refusals. */
export class FakeIndexManagement {
  readonly policies = new Map<string, Stored>();
  readonly indices = new Map<string, ManagedIndex>();
  /** The indices that a request told to change, with the policy. */
  readonly changing = new Map<string, string>();
  private seqNo = 6;

  /** Stores a policy as a user would. */
  put(name: string, policy: Json): Stored {
    const version = (this.policies.get(name)?.version ?? 0) + 1;
    const stored = { version, seqNo: ++this.seqNo, policy: asStored(name, policy) };
    this.policies.set(name, stored);
    return stored;
  }

  answer(method: string, { pathname, searchParams }: URL, body: Json): [number, Json] {
    const [, , , what, names = ""] = pathname.split("/");
    const name = decodeURIComponent(names);
    if (what === "policies" && method === "GET" && name === "") {
      const policies = [...this.policies].map(([id, { policy }]) => ({ _id: id, policy }));
      return [200, { policies, total_policies: policies.length }];
    }
    if (what === "policies" && method === "GET") {
      const stored = this.policies.get(name);
      return stored
        ? [200, { ...idsOf(name, stored), policy: stored.policy }]
        : refusal(404, "status_exception", "Policy not found");
    }
    if (what === "policies" && method === "PUT") {
      const seqNo = searchParams.get("if_seq_no");
      return this.index(name, body, seqNo === null ? undefined : Number(seqNo));
    }
    if (what === "policies" && method === "DELETE") {
      return this.policies.delete(name)
        ? [200, { _id: name, result: "deleted" }]
        : refusal(404, "status_exception", `Policy ${name} is not found`);
    }
    if (what === "explain") {
      return [200, this.explain(method === "POST" ? body.filter.policy_id : undefined)];
    }
    if (what === "change_policy" && method === "POST") {
      return this.change(name.split(","), body.policy_id);
    }
    return [400, { error: `no handler found for uri [${pathname}] and method [${method}]` }];
  }

  private index(name: string, { policy, ...others }: Json, seqNo?: number): [number, Json] {
    if (Object.keys(others).length > 0) {
      const reason =
        "Failed to parse object: expecting token of type [END_OBJECT] but found [FIELD_NAME]";
      return refusal(400, "parsing_exception", reason);
    }
    if (JSON.stringify(policy.states).includes(":null")) {
      return refusal(500, "illegal_state_exception", "Can't get text on a VALUE_NULL at 1:107");
    }
    const wrong = invalidIn(policy);
    if (wrong) {
      return refusal(400, "illegal_argument_exception", wrong);
    }
    const overlap = this.overlapping(name, policy);
    if (overlap) {
      return refusal(400, "index_management_exception", overlap, {
        ...{ type: "exception", reason: `java.lang.IllegalArgumentException: ${overlap}` },
      });
    }
    const former = this.policies.get(name);
    if (former && seqNo === undefined) {
      const reason = `[${name}]: version conflict, document already exists (current version [${former.version}])`;
      return refusal(409, "version_conflict_engine_exception", reason);
    }
    if (seqNo !== undefined && former?.seqNo !== seqNo) {
      const reason = `[${name}]: version conflict, required seqNo [${seqNo}]`;
      return refusal(409, "version_conflict_engine_exception", reason);
    }
    const stored = this.put(name, policy);
    return [former ? 200 : 201, { ...idsOf(name, stored), policy: { policy: stored.policy } }];
  }

  /** Returns why a policy conflicts with another one's templates. */
  private overlapping(name: string, { ism_template }: Json): string | undefined {
    const theirs = [...this.policies]
      .filter(([other]) => other !== name)
      .flatMap(([, { policy }]) => policy.ism_template ?? []);
    const conflict = [ism_template ?? []].flat().find(({ index_patterns, priority = 0 }: Json) =>
      theirs.some(
        (other: Json) =>
          other.priority === priority &&
          // Also those that exclude indices, as they are.
          other.index_patterns.some((pattern: string) =>
            index_patterns.some((mine: string) => patternsOverlap(mine, pattern)),
          ),
      ),
    );
    return (
      conflict &&
      `New policy ${name} has an ISM template with index pattern [${conflict.index_patterns.join(", ")}] matching existing policy templates, use a different priority than ${conflict.priority ?? 0}`
    );
  }

  private explain(policy?: string): Json {
    const managed = [...this.indices].filter(([, one]) => !policy || one.policy === policy);
    const explained = managed.map(([index, one]) => [
      index,
      {
        "index.plugins.index_state_management.policy_id": one.policy,
        ...{ index, policy_id: one.policy, policy_seq_no: one.seqNo, policy_primary_term: 1 },
        ...(one.failed && {
          action: { name: "rollover", failed: true },
          info: { message: one.failed },
        }),
        ...(one.state && { state: { name: one.state, start_time: LAST_UPDATED } }),
        ...(one.isCompleted && { policy_completed: true }),
        enabled: !one.isCompleted && !one.failed,
      },
    ]);
    return { ...Object.fromEntries(explained), total_managed_indices: managed.length };
  }

  private change(indices: readonly string[], policy: string): [number, Json] {
    const missing = indices.find((index) => !this.indices.has(index));
    if (missing !== undefined) {
      return refusal(404, "index_not_found_exception", `no such index [${missing}]`);
    }
    const failed = indices.filter((index) => this.indices.get(index)?.inTransition);
    for (const index of indices.filter((one) => !failed.includes(one))) {
      this.changing.set(index, policy);
    }
    const failures = failed.map((index_name) => ({
      ...{ index_name, index_uuid: "u" },
      reason: "Cannot change policy while transitioning to new state",
    }));
    return [
      200,
      {
        updated_indices: indices.length - failed.length,
        ...{ failures: failed.length > 0, failed_indices: failures },
      },
    ];
  }
}

const idsOf = (name: string, { version, seqNo }: Stored) => ({
  ...{ _id: name, _version: version, _seq_no: seqNo, _primary_term: 1 },
});

const refusal = (
  status: number,
  type: string,
  reason: string,
  caused_by?: Json,
): [number, Json] => [
  status,
  {
    error: { root_cause: [{ type, reason }], type, reason, ...(caused_by && { caused_by }) },
    status,
  },
];

/** Returns a policy as the API shows it. */
function asStored(name: string, { ism_template, states, ...rest }: Json): Json {
  return {
    policy_id: name,
    description: rest.description,
    last_updated_time: LAST_UPDATED,
    schema_version: 30,
    error_notification: rest.error_notification ?? null,
    default_state: rest.default_state,
    states: states.map(stateAsStored),
    ism_template: ism_template
      ? [ism_template].flat().map((template: Json) => ({
          ...{ ...templateAsStored(template), last_updated_time: LAST_UPDATED },
        }))
      : null,
  };
}
