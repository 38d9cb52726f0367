import type { Access, Application } from "../security/application-schema";

type Operation = "CREATE" | "READ" | "WRITE" | "DELETE" | "DESCRIBE" | "DESCRIBE_CONFIGS";

/** What an application may do with resources of one name. kafka-init creates an ACL for each operation. */
export interface Acl {
  /** Kafka's resource type, in lowercase. */
  readonly resource: "topic" | "group" | "transactional_id";
  /** The name. A `*` at the end makes it a prefix, and alone it stands for every name. */
  readonly name: string;
  readonly operations: readonly Operation[];
}

/** The operations of each access to a topic. Idempotent producers need only WRITE. */
const ACCESS: Readonly<Record<Access, readonly Operation[]>> = {
  read: ["READ", "DESCRIBE"],
  write: ["WRITE", "DESCRIBE"],
  readwrite: ["READ", "WRITE", "DESCRIBE"],
};

/** Kafka Streams and Kafka Connect create their topics, and check the configs of those that exist. */
const OWN_TOPIC: readonly Operation[] = [
  ...(["CREATE", "READ", "WRITE", "DESCRIBE", "DESCRIBE_CONFIGS"] as const),
];

const TRANSACTION: readonly Operation[] = ["WRITE", "DESCRIBE"];

/** Returns the prefix of the internal topics and of the transactional ids of a Kafka Streams application. */
export const streamsPrefix = (applicationId: string) => `${applicationId}-`;

/** Returns the names of the internal topics of a Kafka Connect cluster. */
export const connectTopics = (groupId: string) =>
  ["configs", "offsets", "status"].map((topic) => `${groupId}-${topic}`);

/** Returns the consumer groups that an application joins, by name or prefix: its own, and those of Kafka Streams and Kafka Connect. */
export function consumerGroupsOf({
  consumerGroups = [],
  streams,
  connect,
}: Application): readonly string[] {
  return [
    ...new Set([
      ...consumerGroups,
      ...(streams === undefined ? [] : [streams]),
      ...(connect === undefined ? [] : [CONNECTOR_GROUPS]),
    ]),
  ];
}

/** Sink connectors read with a consumer group that is named after the connector. */
const CONNECTOR_GROUPS = "connect-*";

/** Returns the ACLs of an application, with one entry for each resource name. */
export function aclsOf(application: Application): Acl[] {
  const { topics = {}, consumerGroups = [], transactionalIds = [], streams, connect } = application;
  return merge([
    ...Object.entries(topics).map(
      ([name, access]): Acl => ({ resource: "topic", name, operations: ACCESS[access] }),
    ),
    ...consumerGroups.map((name): Acl => ({ resource: "group", name, operations: ["READ"] })),
    ...transactionalIds.map(
      (name): Acl => ({ resource: "transactional_id", name, operations: TRANSACTION }),
    ),
    ...(streams === undefined ? [] : streamsAcls(streams)),
    ...(connect === undefined ? [] : connectAcls(connect)),
  ]);
}

/** DELETE on topics: Kafka Streams deletes the records of repartition topics, and its reset tool the topics. */
function streamsAcls(applicationId: string): Acl[] {
  const name = `${streamsPrefix(applicationId)}*`;
  return [
    { resource: "topic", name, operations: [...OWN_TOPIC, "DELETE"] },
    { resource: "group", name: applicationId, operations: ["READ", "DELETE"] },
    { resource: "transactional_id", name, operations: TRANSACTION },
  ];
}

/** The transactional ids are those of a cluster with `exactly.once.source.support`: of its leader, and of its tasks. */
function connectAcls(groupId: string): Acl[] {
  return [
    ...connectTopics(groupId).map(
      (name): Acl => ({ resource: "topic", name, operations: OWN_TOPIC }),
    ),
    { resource: "group", name: groupId, operations: ["READ"] },
    { resource: "group", name: CONNECTOR_GROUPS, operations: ["READ", "DELETE"] },
    ...[`connect-cluster-${groupId}`, `${groupId}-*`].map(
      (name): Acl => ({ resource: "transactional_id", name, operations: TRANSACTION }),
    ),
  ];
}

function merge(acls: readonly Acl[]): Acl[] {
  const merged = new Map<string, Acl>();
  for (const acl of acls) {
    const key = `${acl.resource} ${acl.name}`;
    const operations = [...(merged.get(key)?.operations ?? []), ...acl.operations];
    merged.set(key, { ...acl, operations: [...new Set(operations)] });
  }
  return [...merged.values()];
}
