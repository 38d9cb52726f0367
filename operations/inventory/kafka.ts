import type { KafkaReport, ReportedTopic, ReportedUser } from "../platform/kafka-inventory";
import { counted } from "../terminal/terminal";
import { type Item, removalOf, type State } from "./item";

/** Returns the topics and users of Kafka. */
export function kafkaItems({ topics, users }: KafkaReport): Item[] {
  return [...topics.map(topicItem), ...users.map(userItem)];
}

function topicItem(reported: ReportedTopic): Item {
  const { topic, exists, partitions = 0, replicationFactor, createdBy } = reported;
  const state = stateOf(reported);
  const counts = `${counted(partitions, "partition")}, replication factor ${replicationFactor}`;
  const creator = state === "declared" && !reported.isDeclared ? createdBy : undefined;
  const ofCreator = creator === undefined ? "" : `, created by application ${creator}`;
  return {
    ...item("topic", topic, state, {
      exists,
      details: exists ? `${counts}${ofCreator}` : "does not exist: npm run up creates it",
    }),
    ...(creator !== undefined && { createdBy: creator }),
  };
}

function stateOf({ isDeclared, isInternal, isApplied, createdBy }: ReportedTopic): State {
  if (isDeclared) {
    return "declared";
  }
  if (isInternal) {
    return "system";
  }
  // Also one that was declared, for example to set its configs: the application still uses it.
  if (createdBy !== undefined) {
    return "declared";
  }
  return isApplied ? "left-over" : "unmanaged";
}

function userItem(reported: ReportedUser): Item {
  const { user, isDeclared, isMarked, hasPassword, needsPassword, acls } = reported;
  const exists = hasPassword || acls.length > 0;
  const login = hasPassword ? "password" : needsPassword === false ? "certificate" : "no password";
  return {
    ...item("user", user, isDeclared ? "declared" : isMarked ? "left-over" : "unmanaged", {
      exists,
      details: exists
        ? `${login}, ${counted(acls.length, "ACL")}`
        : "does not exist: npm run up creates it",
    }),
    acls,
  };
}

function item(
  kind: "topic" | "user",
  name: string,
  state: State,
  more: Pick<Item, "exists" | "details">,
): Item {
  return {
    ...{ cluster: "Kafka" as const, kind, name, state, ...more },
    ...(state === "left-over" && { removal: removalOf({ kind, name }) }),
  };
}
