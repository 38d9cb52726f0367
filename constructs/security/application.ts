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
import { consumerGroupsOf } from "../kafka/acls";
import { validateIds, validateInternalTopics } from "../kafka/internal-topics";
import { validateQuotas } from "../kafka/quotas";
import { INTERNAL_TOPICS } from "../kafka/topic";
import { refusalOfIndexPattern } from "../opensearch/index-name";
import { validateRestrictions } from "../opensearch/restrictions";
import { isReserved } from "./principals";

const accessSchema = v.picklist(["read", "write", "readwrite"]);

/** The access of an application to a topic. `write` does not include `read`. */
export type Access = Declared<typeof accessSchema>;

const indexAccessSchema = v.picklist(["append", ...accessSchema.options, "manage"]);

/**
 * The access of an application to indices. All include their mappings, settings and aliases, and refreshing them.
 *
 * - `read`: search and get documents.
 * - `append`: create documents, fields and indices. No deletes, no updates and no reads. OpenSearch cannot forbid replacing a document
 *   whose id is known.
 * - `write`: everything that `append` includes, and updates. No deletes. An update can return the document, so `write` reads documents
 *   whose ids are known, but cannot search.
 * - `readwrite`: `read` and `write`.
 * - `manage`: everything on its indices, such as deleting documents and indices, rollovers, aliases and settings.
 *
 * All but `read` can create any number of indices whose names match, until the cluster has `cluster.max_shards_per_node` shards.
 */
export type IndexAccess = Declared<typeof indexAccessSchema>;

const restrictedReadSchema = object({
  /** OpenSearch restricts only reads. */
  access: v.picklist(["read"]),

  /**
   * The query of the documents that the application reads, in OpenSearch's query DSL, such as `{ term: { team: "shop" } }`.
   *
   * @default - every document
   */
  documents: v.optional(anyObject<Record<string, unknown>>()),

  /**
   * The fields that it reads, such as `["@timestamp", "message*"]`, or those that it does not read, such as `["~customer.*"]`.
   *
   * @default - every field
   */
  fields: v.optional(v.array(v.string())),
});

/** Read access to some documents or fields of indices. */
export type RestrictedRead = Declared<typeof restrictedReadSchema>;

const indexPermissionSchema = v.lazy(
  (value) =>
    (typeof value === "object" ? restrictedReadSchema : indexAccessSchema) as v.GenericSchema<
      IndexAccess | RestrictedRead
    >,
);

/** The access of an application to indices, or read access to some documents and fields of them. */
export type IndexPermission = Declared<typeof indexPermissionSchema>;

const quotasSchema = object({
  /**
   * How much it may write to each broker, in bytes per second. Kafka delays the answers to a client that writes more.
   *
   * @default - no limit
   */
  produceBytesPerSecond: v.optional(v.number()),

  /**
   * How much it may read from each broker, in bytes per second.
   *
   * @default - no limit
   */
  consumeBytesPerSecond: v.optional(v.number()),

  /**
   * How much of the time of a broker's threads for requests and network its requests may take, in percent. 100 is one thread.
   *
   * @default - no limit
   */
  requestPercent: v.optional(v.number()),
});

/** Limits of an application in Kafka, which hold for all its clients together, on each broker. */
export type Quotas = Declared<typeof quotasSchema>;

const applicationSchema = object({
  /** The user name in both clusters: lowercase letters, digits and hyphens. */
  name: v.string(),

  /**
   * The access to topics of the catalog, by topic name: `read`, `write` or `readwrite`.
   *
   * @default - none
   */
  topics: v.optional(record(accessSchema)),

  /**
   * The names of the consumer groups that the application joins.
   *
   * @default - none
   */
  consumerGroups: v.optional(v.array(v.string())),

  /**
   * The transactional ids of its producers, by name or by prefix such as `orders-*`. Idempotent producers need none.
   *
   * @default - none
   */
  transactionalIds: v.optional(v.array(v.string())),

  /**
   * The `application.id` of a Kafka Streams application. It includes the consumer group of that name, and the transactional ids and
   * internal topics that start with `<application.id>-`, which it creates and deletes. Declare the topics that it reads and writes in
   * `topics`.
   *
   * @default - no Kafka Streams application
   */
  streams: v.optional(v.string()),

  /**
   * The `group.id` of a Kafka Connect cluster. It includes the group of that name, the internal topics `<group.id>-configs`,
   * `<group.id>-offsets` and `<group.id>-status`, the consumer groups of sink connectors, `connect-*`, and the transactional ids of source
   * connectors. Declare the topics of its connectors in `topics`.
   *
   * @default - no Kafka Connect cluster
   */
  connect: v.optional(v.string()),

  /**
   * What it may write to, read from and ask Kafka at most.
   *
   * @default - no limits
   */
  quotas: v.optional(quotasSchema),

  /**
   * How far its consumer groups, also those of `streams` and `connect`, may lag behind, in seconds: the age of the oldest record
   * that a group has not committed. Above it, the alert KafkaConsumerLag fires. At least 60, since lag is recorded every minute.
   *
   * @default 600, while a group has had a member within a day
   */
  maxConsumerLagSeconds: v.optional(v.number()),

  /**
   * The access to indices, by index name or pattern such as `logs-*`: `read`, `append`, `write`, `readwrite` or `manage`, or read access to
   * some documents and fields. In a pattern, `*` stands for any characters and `?` for one.
   *
   * @default - none
   */
  indices: v.optional(record(indexPermissionSchema)),

  /**
   * Whether a pattern such as `*` may stand for every topic, consumer group or index.
   *
   * @default false
   */
  everything: v.optional(v.boolean()),
});

/** The lag of a consumer group, in seconds, above which KafkaConsumerLag fires if no application declares another. */
export const DEFAULT_MAX_CONSUMER_LAG_SECONDS = 600;

/** An application and its permissions in the clusters. It gets no others. */
export type Application = Declared<typeof applicationSchema>;

/**
 * Throws if an application has an invalid, reserved or duplicate name, or invalid permissions. With `topics`, also throws if an
 * application names a topic that is not declared.
 */
export function validateApplications(
  applications: readonly Application[],
  topics?: readonly { readonly name: string }[],
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
