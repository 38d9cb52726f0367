import { type FileChange, facts } from "../container/file-change";
import type { PolicyState, RetentionPolicyBody } from "./retention-policy-body";

/** When a policy deletes an index: the conditions of a way to a state that deletes it. */
type Conditions = Readonly<Record<string, unknown>>;

/** Ages of an index in conditions, in words. */
const SINCE: Readonly<Record<string, string>> = {
  min_index_age: "its creation",
  min_rollover_age: "its rollover",
  min_state_age: "it reached the state before",
};

const MILLISECONDS: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 },
  ...{ micros: 0.001, nanos: 0.000001 },
};

/** Describes the indices that a changed policy deletes sooner, or returns none. */
export function deletedSooner(
  name: string,
  was: RetentionPolicyBody,
  is: RetentionPolicyBody,
): string[] {
  const before = deletionsOf(was);
  return deletionsOf(is)
    .filter((conditions) => !before.some((earlier) => isNoSooner(conditions, earlier)))
    .map((conditions) => {
      const former = before.map(inWords).join(", or ") || "never";
      return `retention policy ${name}: OpenSearch deletes an index ${inWords(conditions)}, formerly ${former}`;
    });
}

/** Describes whether indices that a policy manages already change with it. */
export function describeManagedIndices(name: string, was: string, is: string): FileChange {
  return {
    ...facts(`retention policy ${name}: managedIndices ${was} -> ${is}`),
    dataLoss:
      is === "change"
        ? [
            `retention policy ${name}: the indices that it manages already change to its current version, and OpenSearch deletes those that are past its limits`,
          ]
        : [],
  };
}

function deletionsOf({ default_state, states }: RetentionPolicyBody): Conditions[] {
  const deleting = states.filter(isDeleting).map(({ name }) => name);
  return [
    ...(deleting.includes(default_state) ? [{}] : []),
    ...states.flatMap(({ transitions = [] }) =>
      transitions
        .filter(({ state_name }) => deleting.includes(state_name))
        .map(({ conditions = {} }) => conditions),
    ),
  ];
}

const isDeleting = ({ actions = [] }: PolicyState) => actions.some((action) => "delete" in action);

/** Whether an index that meets the conditions met the earlier ones too. */
function isNoSooner(conditions: Conditions, earlier: Conditions): boolean {
  const [[key, value] = []] = Object.entries(conditions);
  const [[formerKey, former] = []] = Object.entries(earlier);
  if (formerKey === undefined) {
    return true;
  }
  return key === formerKey && key in SINCE
    ? millisecondsIn(value) >= millisecondsIn(former)
    : JSON.stringify(conditions) === JSON.stringify(earlier);
}

function inWords(conditions: Conditions): string {
  const [[key, value] = []] = Object.entries(conditions);
  return key === undefined
    ? "at once"
    : key in SINCE
      ? `${value} after ${SINCE[key]}`
      : `once ${key} is ${JSON.stringify(value)}`;
}

/** Reads a time value, such as "30d". */
function millisecondsIn(age: unknown): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(String(age).trim().toLowerCase()) ?? [];
  return Number(number) * MILLISECONDS[unit];
}
