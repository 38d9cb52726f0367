import * as v from "valibot";
import { anyObject, type Declared, object, record } from "../container/declaration";

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
 * - `write`: everything that `append` includes, and updates. No deletes, except by the script of an update. An update can return the
 *   document, so `write` reads documents whose ids are known, but cannot search.
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
   * The deploy fails if OpenSearch cannot parse it.
   *
   * @default - every document
   */
  documents: v.optional(anyObject<Record<string, unknown>>()),

  /**
   * The fields that it reads, such as `["@timestamp", "message*"]`, or those that it does not read, such as `["~customer.*"]`. It must read
   * the fields of `documents`, or OpenSearch finds no document. Regular expressions are refused.
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

export const applicationSchema = object({
  /** The user name in both clusters: lowercase letters, digits and hyphens. */
  name: v.string(),

  /**
   * How it authenticates to both clusters of a secured environment: with its user name and a password, or with a TLS client certificate
   * `CN=<name>`, which lives 90 days and which `npm run credentials` prints renewed. Kafka accepts certificates on a listener of its own,
   * port 9094, so the first application with a certificate replaces the brokers, one at a time. Plaintext environments ignore this.
   *
   * @default "password"
   */
  authentication: v.optional(v.picklist(["password", "certificate"])),

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
