import { nodeName } from "../../constructs/container/node-name";

/** A partition with the brokers that have its replicas. */
export interface Partition {
  readonly topic: string;
  /** Such as `orders-0`. */
  readonly name: string;
  /** Whether it has a leader. Without one, nobody reads or writes it. */
  readonly isOnline: boolean;
  /** Brokers that should have a replica, without those that a reassignment adds. */
  readonly replicas: readonly string[];
  /** Brokers with a complete replica. Empty if the last one was lost. */
  readonly inSync: readonly string[];
  /** Its `min.insync.replicas`. */
  readonly needs: number;
}

/** Parses the output of `kafka-topics.sh --describe`. */
export function describedPartitions(description: string): Partition[] {
  let needs = 1;
  return description.split("\n").flatMap((line) => {
    const [, configs] = /\tConfigs: ?(\S*)/.exec(line) ?? [];
    if (configs !== undefined) {
      // The following lines are partitions of this topic.
      needs = Number(/(?:^|,)min\.insync\.replicas=(\d+)/.exec(configs)?.[1] ?? 1);
    }
    const [, topic, number] = /^\tTopic: (\S+)\tPartition: (\d+)\t/.exec(line) ?? [];
    if (topic === undefined) {
      return [];
    }
    const [replicas, inSync, added] = ["Replicas", "Isr", "Adding Replicas"].map((field) =>
      brokersIn(line, field),
    );
    return [
      {
        ...{ topic, name: `${topic}-${number}`, needs, inSync },
        isOnline: /\tLeader: \d/.test(line),
        replicas: replicas.filter((broker) => !added.includes(broker)),
      },
    ];
  });
}

function brokersIn(line: string, field: string): string[] {
  const [, ids = ""] = new RegExp(`\\t${field}: ([\\d,]*)`).exec(line) ?? [];
  return ids === "" ? [] : ids.split(",").map((id) => nodeName("kafka", id));
}
