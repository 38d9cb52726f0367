import type { Construct } from "constructs";
import * as v from "valibot";
import { anyObject, called, checkDeclared } from "../container/declaration";
import { all, validate, validateDistinct } from "../container/validation";
import { consumerGroupsOf } from "../kafka/acls";
import { validateIds, validateInternalTopics } from "../kafka/internal-topics";
import { validateQuotas } from "../kafka/quotas";
import { INTERNAL_TOPICS, type Topic } from "../kafka/topic";
import { validateTransactionalIds } from "../kafka/transactional-ids";
import { refusalOfIndexPattern } from "../opensearch/index-name";
import { validateRestrictions } from "../opensearch/restrictions";
import { type Application, applicationSchema } from "./application-schema";
import { isReserved } from "./principals";

export {
  type Access,
  type Application,
  DEFAULT_MAX_CONSUMER_LAG_SECONDS,
  type IndexAccess,
  type IndexPermission,
  type Quotas,
  type RestrictedRead,
} from "./application-schema";

/** Returns whether an application authenticates with a client certificate, and so has no password. */
export function hasCertificate({ authentication }: Application): boolean {
  return authentication === "certificate";
}

/**
 * Throws if an application has an invalid, reserved or duplicate name, or invalid permissions. With `topics`, also throws if an
 * application names a topic that is not declared.
 */
export function validateApplications(
  applications: readonly Application[],
  topics?: readonly Pick<Topic, "name" | "configs">[],
  scope?: Construct,
): void {
  checkDeclared(
    v.array(anyObject<Application>()),
    applications,
    "the declaration of applications",
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
        () =>
          validatePatterns(
            scope,
            application,
            "transactional id",
            application.transactionalIds ?? [],
          ),
        () => validatePatterns(scope, application, "index", Object.keys(application.indices ?? {})),
        () => validateNames(scope, application),
        () => validateIds(scope, application),
        () => validateQuotas(scope, application),
        () => validateLag(scope, application),
        () => validateIndices(scope, application),
        () => validateRestrictions(scope, application),
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
        (name) => `application "${name}" is declared twice: rename or remove one`,
        scope,
      ),
    () => validateInternalTopics(applications, topics ?? [], scope),
    () => validateTransactionalIds(applications, scope),
  );
}

function validateName(name: string, scope?: Construct): void {
  validate(
    /^[a-z][a-z0-9-]{0,62}$/.test(name),
    () =>
      `application name "${name}" is invalid: use 1 to 63 lowercase letters, digits and hyphens, starting with a letter`,
    scope,
  );
  validateNotPrincipal(name, isReserved, scope);
  validate(
    !["ca", "certificates"].includes(name),
    () =>
      `application name "${name}" is reserved for npm run rotate, where it has another meaning: choose another name, such as "app-${name}"`,
    scope,
  );
}

/** Throws if a name belongs to a service of the platform. */
export function validateNotPrincipal(
  name: string,
  isPrincipal: (name: string) => boolean,
  scope?: Construct,
): void {
  validate(
    !isPrincipal(name),
    () =>
      `application name "${name}" is reserved for a service of the platform, whose permissions it would get: choose another name, such as "app-${name}"`,
    scope,
  );
}

/** In OpenSearch, `**` and `?*` match every name too. */
const MATCHES_EVERYTHING = /^(?=.*\*)[*?]+$/;

function validatePatterns(
  scope: Construct | undefined,
  { name, everything = false }: Application,
  kind: string,
  patterns: readonly string[],
): void {
  for (const pattern of patterns) {
    validate(
      !MATCHES_EVERYTHING.test(pattern) || everything,
      () =>
        `application "${name}" names every ${kind} with "${pattern}": list the names or prefixes that it needs, such as "${name}-*", or set everything: true to allow every ${kind}`,
      scope,
    );
  }
}

/** In Kafka, "*" at the end of a name makes it a prefix. */
function validateNames(
  scope: Construct | undefined,
  { name, topics = {}, consumerGroups = [], transactionalIds = [] }: Application,
) {
  for (const topic of Object.keys(topics)) {
    validate(
      /^(?:[a-zA-Z0-9._-]{1,249}|[a-zA-Z0-9._-]{0,248}\*)$/.test(topic),
      () =>
        `application "${name}" has the topic "${topic}": use a topic name, or a prefix followed by "*"`,
      scope,
    );
    const prefix = topic.endsWith("*") ? topic.slice(0, -1) : "";
    const internal = INTERNAL_TOPICS.find((one) => prefix !== "" && one.startsWith(prefix));
    validate(
      internal === undefined,
      () =>
        `application "${name}" has the topic "${topic}", which includes the internal topic ${internal}: list the topics that it needs`,
      scope,
    );
  }
  validateNamesOrPrefixes(scope, name, "consumer group", consumerGroups);
  validateNamesOrPrefixes(scope, name, "transactional id", transactionalIds);
}

function validateNamesOrPrefixes(
  scope: Construct | undefined,
  application: string,
  kind: string,
  names: readonly string[],
): void {
  for (const name of names) {
    validate(
      /^(?:[!-)+-~]{1,255}|[!-)+-~]{0,254}\*)$/.test(name),
      () =>
        `application "${application}" has the ${kind} "${name}": use 1 to 255 printable ASCII characters without whitespace; "*" is allowed only at the end, after a prefix`,
      scope,
    );
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  validate(
    twice === undefined,
    () => `application "${application}" lists the ${kind} "${twice}" twice: remove one`,
    scope,
  );
}

function validateLag(scope: Construct | undefined, application: Application) {
  const { name, maxConsumerLagSeconds: seconds } = application;
  if (seconds === undefined) {
    return;
  }
  validate(
    Number.isInteger(seconds) && seconds >= 60,
    () =>
      `application "${name}" has maxConsumerLagSeconds ${seconds}: use a whole number of seconds, at least 60`,
    scope,
  );
  validate(
    consumerGroupsOf(application).length > 0,
    () =>
      `application "${name}" has maxConsumerLagSeconds and no consumer groups: list them in consumerGroups, or remove maxConsumerLagSeconds`,
    scope,
  );
}

/** OpenSearch accepts any pattern, even if no index can match it. */
function validateIndices(scope: Construct | undefined, { name, indices = {} }: Application): void {
  all(
    ...Object.keys(indices).map((index) => () => {
      const refusal = index.includes("${")
        ? `OpenSearch replaces "\${...}" with attributes of the user: write the name itself`
        : refusalOfIndexPattern(index, "*?");
      validate(
        refusal === undefined,
        () => `application "${name}" has the index "${index}": ${refusal}`,
        scope,
      );
    }),
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
        `application "${name}" has the topic "${topic}", but ${prefix === undefined ? "no topic with that name" : "no topic with that prefix"} is declared: declare the topic or correct the name; declared topics: ${known.join(", ") || "none"}`,
      scope,
    );
  }
}
