import type { Construct } from "constructs";
import { validate, validateDistinct } from "../container/validation";
import type { Application } from "../security/application-schema";
import { connectTopics, streamsPrefix } from "./acls";
import type { Topic } from "./topic";

/** The longest id. Internal topics add to it, and topic names have at most 249 characters. */
const LONGEST_ID = 200;

/** The names that Kafka Streams gives to internal topics. One may declare them, for example to set their configs. */
const INTERNAL_NAME = /-(changelog|repartition)$/;

/** Throws if an application has an invalid id of Kafka Streams or Kafka Connect. */
export function validateIds(scope: Construct | undefined, application: Application): void {
  const { name, streams, connect } = application;
  for (const [property, id, meaning] of [
    ["streams", streams, "application.id"],
    ["connect", connect, "group.id"],
  ] as const) {
    validate(
      id === undefined || new RegExp(`^[a-zA-Z0-9._-]{1,${LONGEST_ID}}$`).test(id),
      () =>
        `application "${name}" has ${property} "${id}": use its ${meaning}, 1 to ${LONGEST_ID} letters, digits, ".", "_" and "-"`,
      scope,
    );
  }
}

/**
 * Throws if the internal topics of an application of Kafka Streams include a topic of the catalog or of another application, which it
 * could read, write and delete, if those of Kafka Connect are topics of the catalog that it does not accept, or if two applications have
 * the same Kafka Connect cluster.
 */
export function validateInternalTopics(
  applications: readonly Application[],
  topics: readonly Pick<Topic, "name" | "configs">[],
  scope?: Construct,
): void {
  validateDistinct(
    applications.flatMap(({ connect }) => connect ?? []),
    (id) => `connect "${id}" is declared by two applications: declare it in one of them`,
    scope,
  );
  for (const application of applications) {
    const { name, streams, connect } = application;
    // One may declare them. Any other topic of such a name belongs to somebody else.
    const internal = connect === undefined ? [] : connectTopics(connect);
    const refused = topics.find(
      (topic) => internal.includes(topic.name) && topic.configs?.["cleanup.policy"] !== "compact",
    );
    validate(
      refused === undefined,
      () =>
        `application "${name}" has connect "${connect}", whose internal topic ${refused?.name} is declared without cleanup.policy "compact", which Kafka Connect refuses: choose another group.id, or set the config`,
      scope,
    );
    if (streams === undefined) {
      continue;
    }
    const prefix = streamsPrefix(streams);
    const others = applications.filter((other) => other !== application);
    const foreign = [
      ...topics
        .filter((topic) => !INTERNAL_NAME.test(topic.name))
        .map((topic) => [topic.name, `the topic ${topic.name}`]),
      ...others.flatMap((other) => [
        ...(other.streams === undefined
          ? []
          : [[streamsPrefix(other.streams), `those of application "${other.name}"`]]),
        ...(other.connect === undefined ? [] : connectTopics(other.connect)).map((topic) => [
          topic,
          `the topic ${topic} of application "${other.name}"`,
        ]),
      ]),
    ].find(([topic]) => topic.startsWith(prefix));
    validate(
      foreign === undefined,
      () =>
        `application "${name}" has streams "${streams}", whose internal topics start with "${prefix}": it could read, write and delete ${foreign?.[1]}; choose another application.id`,
      scope,
    );
  }
}
