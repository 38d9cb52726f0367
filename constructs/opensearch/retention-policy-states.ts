import { type Body, type Check, check, isObject, unknownKeys } from "./declared-resource";

const EXAMPLE_STATES = `[{ "name": "delete", "actions": [{ "delete": {} }] }]`;

/** What an action has besides its type. */
const RETRY_KEYS = ["count", "backoff", "delay"];

/**
 * Checks the states of a policy. OpenSearch refuses most of what is wrong in actions and conditions itself, so this checks only what it
 * would leave out without a word.
 */
export function stateChecks(what: string, states: unknown, first: unknown): Check[] {
  if (!Array.isArray(states) || states.length === 0 || !states.every(isObject)) {
    return [
      check(false, () => `${what} has no list of states: write one, such as ${EXAMPLE_STATES}`),
    ];
  }
  const names = states.map(({ name }) => name);
  const known = names.join(", ");
  return [
    ...names.map((name, i) =>
      check(
        typeof name === "string" && name.trim() !== "" && names.indexOf(name) === i,
        () => `${what}: states[${i}] has the name ${JSON.stringify(name)}: each has its own`,
      ),
    ),
    check(
      names.includes(first),
      () =>
        `${what} has the default_state ${JSON.stringify(first)}: it must be one of its states: ${known}`,
    ),
    ...states.flatMap((state, i) => [
      ...unknownKeys(`${what}: states[${i}]`, state, ["name", "actions", "transitions"]),
      ...(["actions", "transitions"] as const).map((key) =>
        check(
          state[key] === undefined || (Array.isArray(state[key]) && state[key].every(isObject)),
          () => `${what}: states[${i}].${key} is ${JSON.stringify(state[key])}: it must be a list`,
        ),
      ),
      ...objectsIn(state.actions).flatMap((action, j) =>
        actionChecks(`${what}: states[${i}].actions[${j}]`, action),
      ),
      ...objectsIn(state.transitions).flatMap((transition, j) =>
        transitionChecks(`${what}: states[${i}].transitions[${j}]`, transition, names),
      ),
    ]),
  ];
}

const objectsIn = (list: unknown) => (Array.isArray(list) ? list.filter(isObject) : []);

function actionChecks(what: string, { retry, timeout, ...actions }: Body): Check[] {
  const types = Object.keys(actions);
  return [
    // OpenSearch keeps the last one.
    check(
      types.length <= 1,
      () =>
        `${what} has ${types.length} actions: ${types.join(", ")}. Give each its own object, such as ${types.map((type) => `{ ${JSON.stringify(type)}: ... }`).join(", ")}`,
    ),
    ...(isObject(retry) ? unknownKeys(`${what}.retry`, retry, RETRY_KEYS) : []),
  ];
}

function transitionChecks(
  what: string,
  { state_name, conditions }: Body,
  names: readonly unknown[],
): Check[] {
  const cron = isObject(conditions) ? conditions.cron : undefined;
  return [
    check(
      names.includes(state_name),
      () =>
        `${what} has the state_name ${JSON.stringify(state_name)}: it must be one of its states: ${names.join(", ")}`,
    ),
    // OpenSearch reads another schedule, and then has no condition at all.
    check(
      !isObject(cron) || isObject(cron.cron),
      () =>
        `${what}.conditions.cron is ${JSON.stringify(cron)}: write a cron expression, such as { "cron": { "expression": "0 3 * * *", "timezone": "UTC" } }`,
    ),
  ];
}
