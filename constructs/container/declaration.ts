import type { IConstruct } from "constructs";
import * as v from "valibot";
import { shownAddress } from "./address";
import { nearestName } from "./nearest-name";
import { ValidationError } from "./validation";

/** The input type of a schema: what a declaration contains, deeply read-only. */
export type Declared<S extends v.GenericSchema> = DeepReadonly<v.InferInput<S>>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** An object with these properties only. `unknown` names any other one in messages, "an unknown property" by default. */
export function object<Entries extends v.ObjectEntries>(entries: Entries, unknown?: string) {
  return noList(strict(entries, unknown));
}

/** The same, usable as an option of `v.variant`. */
export function strict<Entries extends v.ObjectEntries>(entries: Entries, unknown?: string) {
  return v.strictObject(entries, (issue) =>
    issue.expected === "never" ? unknownKeys(issue, entries, unknown) : missingKey(issue, entries),
  );
}

/** An object with these properties. All others must match `rest`. */
export function objectWith<Entries extends v.ObjectEntries, Rest extends v.GenericSchema>(
  entries: Entries,
  rest: Rest,
) {
  return noList(v.objectWithRest(entries, rest, (issue) => missingKey(issue, entries)));
}

/** An object with any keys and values of one schema. */
export function record<Value extends v.GenericSchema>(value: Value) {
  return noList(v.record(v.string(), value));
}

/** An object that is validated elsewhere. */
export function anyObject<Type>() {
  return v.custom<Type>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "an object",
  );
}

/** Rejects lists, which valibot takes for objects. */
function noList<Schema extends v.GenericSchema>(schema: Schema) {
  const checked = v.lazy((value) => (Array.isArray(value) ? NO_LIST : schema) as Schema);
  return Object.assign(checked, { expects: "Object" });
}

const NO_LIST: v.GenericSchema = v.never("an object");

/** Names every unknown key. Valibot reports only the first one. */
function unknownKeys(
  { path }: v.BaseIssue<unknown>,
  entries: v.ObjectEntries,
  unknown?: string,
): string {
  const [{ input }] = path as [v.ObjectPathItem];
  return Object.keys(input)
    .filter((name) => !Object.hasOwn(entries, name))
    .map((name) => unknownName(name, Object.keys(entries), unknown))
    .join("\n");
}

/** Describes the missing value with the message of its own schema. */
function missingKey({ path }: v.BaseIssue<unknown>, entries: v.ObjectEntries): string {
  const key = path?.[0].key as string | undefined;
  const { expects, message } =
    key === undefined ? { expects: "Object" } : (entries[key] as Described);
  return typeof message === "string" ? message : inWords(expects);
}

interface Described {
  readonly expects: string;
  readonly message?: unknown;
}

/** Throws a `ValidationError` with a line for every mismatch between the value and the schema. Each line starts with `what`. */
export function checkDeclared(
  schema: v.GenericSchema,
  value: unknown,
  what: string,
  scope?: IConstruct,
): void {
  const { issues = [] } = v.safeParse(schema, value);
  if (issues.length > 0) {
    throw new ValidationError(
      issues.flatMap((issue) => messagesOf(issue, what)),
      scope,
    );
  }
}

/** Describes an unknown name, suggests the nearest known one and lists those that are allowed. */
export function unknownName(
  name: string,
  known: readonly string[],
  unknown = "an unknown property",
): string {
  const meant = nearestName(name, known);
  return `${unknown} "${name}": ${meant === undefined ? "" : `did you mean "${meant}"? `}allowed: ${known.join(", ")}`;
}

function messagesOf(issue: v.BaseIssue<unknown>, what: string): string[] {
  const keys = (issue.path ?? []).map(({ key }) => key);
  const { type, expected, input, message } = issue;
  if (type === "strict_object" && expected === "never") {
    const inside = placeOf(keys.slice(0, -1));
    return message.split("\n").map((unknown) => `${what}${inside && `: ${inside}`} has ${unknown}`);
  }
  const place = placeOf(keys);
  const allowed = message.startsWith("Invalid ") ? inWords(expected ?? "") : message;
  return [
    input === undefined && place
      ? `${what}: ${place} is missing: it must be ${allowed}`
      : `${what}${place && `: ${place}`} is ${shown(input, place)}: it must be ${allowed}`,
  ];
}

/** Shortens a value for a message and hides secrets. */
function shown(value: unknown, place: string): string {
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "a list" : "an object";
  }
  // A secret by its name, or an address with one.
  const isAddress = /:\/\/|:.*@/.test(String(value));
  if (
    /password|secret|token/i.test(place) ||
    (isAddress && shownAddress(String(value)) !== String(value))
  ) {
    return "[hidden]";
  }
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}..."`;
}

const LONGEST_SHOWN = 60;

/** Names an item in messages: `topic "orders"`, or `topics[0]` if it has no name. */
export function called(kind: string, item: { readonly name?: unknown }, index: number): string {
  return typeof item.name === "string" ? `${kind} "${item.name}"` : `${kind}s[${index}]`;
}

/** Renders the path of a value: `routes[0].labels`. */
function placeOf(keys: readonly unknown[]): string {
  return keys
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`))
    .join("")
    .replace(/^\./, "");
}

/** Words for valibot's type names. */
const TYPES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "a boolean",
  Array: "a list",
  Object: "an object",
};

/** Puts what valibot expects, such as `("read" | "write")`, in words. */
function inWords(expected: string): string {
  const words = expected
    .replace(/^\((.*)\)$/, "$1")
    .split(" | ")
    .map((one) => TYPES[one] ?? one);
  return words.length > 1
    ? `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`
    : words[0];
}
