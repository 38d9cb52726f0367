import type { IConstruct } from "constructs";
import * as v from "valibot";
import { nearestName } from "./nearest-name";
import { ValidationError } from "./validation";

/** What a schema takes: what people write. */
export type Declared<S extends v.GenericSchema> = DeepReadonly<v.InferInput<S>>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** An object with these properties and no others, of which it is said what `others` are. */
export function object<Entries extends v.ObjectEntries>(entries: Entries, others?: string) {
  return noList(strict(entries, others));
}

/** The same as one of the options of `v.variant`. */
export function strict<Entries extends v.ObjectEntries>(entries: Entries, others?: string) {
  return v.strictObject(entries, (issue) =>
    issue.expected === "never" ? unknownKeys(issue, entries, others) : missingKey(issue, entries),
  );
}

/** An object with these properties, and others that are like `rest`. */
export function objectWith<Entries extends v.ObjectEntries, Rest extends v.GenericSchema>(
  entries: Entries,
  rest: Rest,
) {
  return noList(v.objectWithRest(entries, rest, (issue) => missingKey(issue, entries)));
}

/** Values of one kind by any names. */
export function record<Value extends v.GenericSchema>(value: Value) {
  return noList(v.record(v.string(), value));
}

/** An object that is looked at elsewhere. */
export function anyObject<Type>() {
  return v.custom<Type>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "an object",
  );
}

/** To valibot a list is an object, too. */
function noList<Schema extends v.GenericSchema>(schema: Schema) {
  const checked = v.lazy((value) => (Array.isArray(value) ? NO_LIST : schema) as Schema);
  return Object.assign(checked, { expects: "Object" });
}

const NO_LIST: v.GenericSchema = v.never("an object");

/** The issue is about the first of them alone. */
function unknownKeys(
  { path }: v.BaseIssue<unknown>,
  entries: v.ObjectEntries,
  others?: string,
): string {
  const [{ input }] = path as [v.ObjectPathItem];
  return Object.keys(input)
    .filter((name) => !Object.hasOwn(entries, name))
    .map((name) => unknownName(name, Object.keys(entries), others))
    .join("\n");
}

/** What has to stand there, as the message of its own schema says it. */
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

/** Throws on a value that is not what the schema says, with everything that is wrong with it; `what` begins each message. */
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

/** Of a name that is none of the known ones: what it is, which are known, and which one may be meant. */
export function unknownName(
  name: string,
  known: readonly string[],
  unknown = "is unknown",
): string {
  const meant = nearestName(name, known);
  return `"${name}", which ${unknown}: ${meant === undefined ? "" : `did you mean "${meant}"? `}allowed are ${known.join(", ")}`;
}

function messagesOf(issue: v.BaseIssue<unknown>, what: string): string[] {
  const keys = (issue.path ?? []).map(({ key }) => key);
  const { type, expected, input, message } = issue;
  if (type === "strict_object" && expected === "never") {
    const inside = placeOf(keys.slice(0, -1));
    return message
      .split("\n")
      .map((unknown) => `${what} has ${inside && `in ${inside} `}${unknown}`);
  }
  const place = placeOf(keys);
  const allowed = message.startsWith("Invalid ") ? inWords(expected ?? "") : message;
  return [
    input === undefined && place
      ? `${what} has no ${place}: it has to be ${allowed}`
      : `${what} ${place ? `has ${place}` : "is"} ${shown(input, place)}: it has to be ${allowed}`,
  ];
}

/** A value in a word: what is no secret, and not too much of it. */
function shown(value: unknown, place: string): string {
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "a list" : "an object";
  }
  // By its name, or a URL with a user's password.
  if (/password|secret|token/i.test(place) || /:\/\/[^/]*@/.test(String(value))) {
    return "another value";
  }
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}..."`;
}

const LONGEST_SHOWN = 60;

/** How something is called that has a name: by it, or else by where it is. */
export function called(kind: string, item: { readonly name?: unknown }, index: number): string {
  return typeof item.name === "string" ? `${kind} "${item.name}"` : `${kind}s[${index}]`;
}

/** Where a value is: `routes[0].labels`. */
function placeOf(keys: readonly unknown[]): string {
  return keys
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`))
    .join("")
    .replace(/^\./, "");
}

/** Types by what valibot calls them. */
const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  Array: "a list",
  Object: "an object",
};

/** What valibot expects, such as `("read" | "write")`. */
function inWords(expected: string): string {
  const words = expected
    .replace(/^\((.*)\)$/, "$1")
    .split(" | ")
    .map((one) => TYPES[one] ?? one);
  return words.length > 1
    ? `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`
    : words[0];
}
