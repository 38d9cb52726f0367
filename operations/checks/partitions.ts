import { nodesOf } from "../../environments";
import type { Outcome } from "../engine/docker";
import { describedPartitions, type Partition } from "../platform/kafka-partitions";
import type { Platform } from "../platform/platform";
import { type Patience, poll } from "../terminal/poll";
import { listed } from "../terminal/terminal";

/** What is wrong with the partitions of topics. */
interface Findings {
  /** What does not end by itself, or keeps clients from their data. */
  readonly failures: readonly string[];
  /** Replicas that still catch up. */
  readonly notes: readonly string[];
}

/** How long replicas may take to be in sync after a deploy, before they are reported. */
const PATIENCE: Patience<Findings> = { intervalMs: 2000, patienceMs: 60_000 };

/**
 * Checks that the partitions of these topics have a leader, enough replicas in sync, and no replica on a broker that is not declared. Waits
 * for replicas that catch up. Partitions with a replica on an excluded machine are left out.
 */
export function checkPartitions(
  platform: Platform,
  topics: readonly string[],
  /** What Kafka has said already. */
  description: Outcome,
  patience = PATIENCE,
): Promise<Findings> {
  let known: Outcome | undefined = description;
  const declared = nodesOf(platform.environment, "kafka");
  const included = platform.nodes("kafka");
  const isExcluded = (broker: string) => declared.includes(broker) && !included.includes(broker);
  return poll(
    async () => {
      const { exitCode, output } = known ?? (await platform.kafka.describeTopics());
      known = undefined;
      if (exitCode !== 0) {
        return { failures: [output], notes: [] };
      }
      const partitions = describedPartitions(output).filter(
        ({ topic, replicas }) => topics.includes(topic) && !replicas.some(isExcluded),
      );
      return {
        failures: partitions.flatMap((partition) => failuresOf(partition, declared)),
        notes: partitions.flatMap((partition) =>
          failuresOf(partition, declared).length > 0 ? [] : notesOn(partition),
        ),
      };
    },
    ({ failures, notes }) => failures.length + notes.length === 0,
    patience,
  );
}

function failuresOf(
  { name, isOnline, replicas, inSync, needs }: Partition,
  declared: readonly string[],
): string[] {
  const unknown = replicas.filter((broker) => !declared.includes(broker));
  const remedy =
    unknown.length === 0
      ? ""
      : `: declare ${listed(unknown)} again, run npm run up, and remove ${unknown.length === 1 ? "it" : "them"} then`;
  if (!isOnline) {
    return [
      `${name}: has no leader, so nobody reads or writes it; its replicas are on ${listed(replicas)}${remedy}`,
    ];
  }
  if (inSync.length < needs) {
    return [
      `${name}: ${inSync.length} of ${replicas.length} replicas in sync, and min.insync.replicas is ${needs}, so producers with acks=all fail${remedy}`,
    ];
  }
  return unknown.length === 0
    ? []
    : [
        `${name}: has a replica on ${listed(unknown)}, which ${unknown.length === 1 ? "is" : "are"} not declared${remedy}`,
      ];
}

function notesOn({ name, replicas, inSync }: Partition): string[] {
  const missing = replicas.filter((broker) => !inSync.includes(broker));
  return missing.length === 0
    ? []
    : [
        `${name}: the replica on ${listed(missing)} is not in sync yet. npm run up waited a minute for it`,
      ];
}
