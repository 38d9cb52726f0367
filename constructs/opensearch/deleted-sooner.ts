import { type FileChange, facts } from "../container/file-change";
import type { PolicyState, RetentionPolicyBody } from "./retention-policy-body";

/** The conditions of one step from a state to the next. */
type Conditions = Readonly<Record<string, unknown>>;

/** The steps of an index from the first state to one that deletes it, without those that need no condition. */
type Way = readonly Conditions[];

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
    .filter((way) => !before.some((earlier) => isNoSooner(way, earlier)))
    .map((way) => {
      const former = before.map(inWords).join(", or ") || "never";
      return `retention policy ${name}: OpenSearch deletes an index ${inWords(way)}, formerly ${former}`;
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

function deletionsOf({ default_state, states }: RetentionPolicyBody): Way[] {
  const waysFrom = (name: string, passed: readonly string[]): Way[] => {
    const state = states.find((one) => one.name === name);
    if (state === undefined || passed.includes(name)) {
      return [];
    }
    return isDeleting(state)
      ? [[]]
      : (state.transitions ?? []).flatMap(({ state_name, conditions = {} }) =>
          waysFrom(state_name, [...passed, name]).map((way) =>
            Object.keys(conditions).length > 0 ? [conditions, ...way] : way,
          ),
        );
  };
  return waysFrom(default_state, []);
}

const isDeleting = ({ actions = [] }: PolicyState) => actions.some((action) => "delete" in action);

/** Whether an index that goes one way meets the conditions of the earlier one too, in their order. */
function isNoSooner(way: Way, earlier: Way): boolean {
  const [first, ...rest] = earlier;
  if (first === undefined) {
    return true;
  }
  const at = way.findIndex((conditions) => isNoWeaker(conditions, first));
  return at >= 0 && isNoSooner(way.slice(at + 1), rest);
}

/** Whether an index that meets the conditions meets the earlier ones too. */
function isNoWeaker(conditions: Conditions, earlier: Conditions): boolean {
  const [[key, value] = []] = Object.entries(conditions);
  const [[formerKey, former] = []] = Object.entries(earlier);
  return key !== undefined && key === formerKey && key in SINCE
    ? millisecondsIn(value) >= millisecondsIn(former)
    : JSON.stringify(conditions) === JSON.stringify(earlier);
}

function inWords(way: Way): string {
  return way.map(conditionInWords).join(", then ") || "at once";
}

function conditionInWords(conditions: Conditions): string {
  const [[key, value] = []] = Object.entries(conditions);
  return key !== undefined && key in SINCE
    ? `${value} after ${SINCE[key]}`
    : `once ${key} is ${JSON.stringify(value)}`;
}

/** Reads a time value, such as "30d". */
function millisecondsIn(age: unknown): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(String(age).trim().toLowerCase()) ?? [];
  return Number(number) * MILLISECONDS[unit];
}
