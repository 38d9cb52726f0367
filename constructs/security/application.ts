import type { Construct } from "constructs";
import * as v from "valibot";
import {
  anyObject,
  called,
  checkDeclared,
  type Declared,
  object,
  record,
} from "../container/declaration";
import { all, validate, validateDistinct } from "../container/validation";
import { RESERVED_NAMES } from "./principals";

const accessSchema = v.picklist(["read", "write", "readwrite"]);

/** What an application may do with what it names. Writing does not imply reading. */
export type Access = Declared<typeof accessSchema>;

const applicationSchema = object({
  /** Its user name in both clusters: lower-case letters, digits and hyphens. */
  name: v.string(),

  /**
   * What it may do with topics of the catalog, by their names: `read`, `write` or `readwrite`.
   *
   * @default - none
   */
  topics: v.optional(record(accessSchema)),

  /**
   * Consumer groups that it joins, by name.
   *
   * @default - none
   */
  consumerGroups: v.optional(v.array(v.string())),

  /**
   * What it may do with indices, by their names or patterns such as `logs-*`: `read`, `write` or `readwrite`.
   *
   * @default - none
   */
  indices: v.optional(record(accessSchema)),

  /**
   * Whether `*` is meant where it names every topic, group or index.
   *
   * @default false
   */
  everything: v.optional(v.boolean()),
});

/** An application and what it may do in the clusters: that, and nothing else. */
export type Application = Declared<typeof applicationSchema>;

/**
 * Throws on applications that could be taken for someone else, or that name what is not there. Only with the catalog's topics is
 * it known which there are.
 */
export function validateApplications(
  applications: readonly Application[],
  topics?: readonly { readonly name: string }[],
  scope?: Construct,
): void {
  checkDeclared(
    v.array(anyObject<Application>()),
    applications,
    "what is declared of applications",
    scope,
  );
  all(
    ...applications.map((application, i) => () => {
      checkDeclared(applicationSchema, application, called("application", application, i), scope);
      all(
        () => validateName(application.name, scope),
        () => validatePatterns(scope, application, "topic", Object.keys(application.topics ?? {})),
        () =>
          validatePatterns(scope, application, "consumer group", application.consumerGroups ?? []),
        () => validatePatterns(scope, application, "index", Object.keys(application.indices ?? {})),
        () => validateNames(scope, application),
        () =>
          topics &&
          validateKnown(
            scope,
            application,
            topics.map(({ name }) => name),
          ),
      );
    }),
    () =>
      validateDistinct(
        applications.map(({ name }) => name),
        (name) => `application "${name}" is declared twice: every application has one declaration`,
        scope,
      ),
  );
}

function validateName(name: string, scope?: Construct): void {
  validate(
    /^[a-z][a-z0-9-]{0,62}$/.test(name),
    () =>
      `application name "${name}" is not legal: 1 to 63 lower-case letters, digits and hyphens, the first a letter`,
    scope,
  );
  validate(
    !RESERVED_NAMES.test(name),
    () =>
      `application name "${name}" is the name of one of the platform's own services, whose rights it would have: choose another one, such as "${name}-app"`,
    scope,
  );
  validate(
    !["ca", "certificates"].includes(name),
    () =>
      `application name "${name}" means something else to npm run rotate: choose another one, such as "${name}-app"`,
    scope,
  );
}

function validatePatterns(
  scope: Construct | undefined,
  { name, everything = false }: Application,
  kind: string,
  patterns: readonly string[],
): void {
  for (const pattern of patterns) {
    validate(
      pattern !== "*" || everything,
      () =>
        `application "${name}" names every ${kind} with "*": name those that it needs, or a prefix as in "${name}-*"; if every ${kind} is meant, add everything: true`,
      scope,
    );
  }
}

/** A star at the end of a name is a prefix in Kafka. */
function validateNames(
  scope: Construct | undefined,
  { name, topics = {}, consumerGroups = [] }: Application,
) {
  for (const topic of Object.keys(topics)) {
    validate(
      /^(?:[a-zA-Z0-9._-]{1,249}|[a-zA-Z0-9._-]{0,248}\*)$/.test(topic),
      () =>
        `application "${name}" has the topic "${topic}": allowed is a topic's name, or the beginning of names with a "*" after it`,
      scope,
    );
  }
  for (const group of consumerGroups) {
    validate(
      /^(?:[!-)+-~]{1,255}|[!-)+-~]{0,254}\*)$/.test(group),
      () =>
        `application "${name}" has the consumer group "${group}": allowed are 1 to 255 printable characters of ASCII without white space, and "*" at the end alone, for every group that begins so`,
      scope,
    );
  }
  const twice = consumerGroups.find((group, i) => consumerGroups.indexOf(group) !== i);
  validate(
    twice === undefined,
    () => `application "${name}" has the consumer group "${twice}" twice: name it once`,
    scope,
  );
}

function validateKnown(
  scope: Construct | undefined,
  { name, topics = {} }: Application,
  known: readonly string[],
): void {
  for (const topic of Object.keys(topics)) {
    const prefix = topic.endsWith("*") ? topic.slice(0, -1) : undefined;
    validate(
      prefix === undefined
        ? known.includes(topic)
        : known.some((other) => other.startsWith(prefix)) || prefix === "",
      () =>
        `application "${name}" has the topic "${topic}", and ${prefix === undefined ? "no topic of that name" : "no topic whose name begins so"} is declared: allowed are ${known.join(", ") || "none, since no topic is"}; declare the topic or correct the name`,
      scope,
    );
  }
}
