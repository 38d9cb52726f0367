import { unescapeTemplate } from "../../constructs/container/file";
import { parseTopics, TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { diskOfTopics } from "../../constructs/kafka/topic-disk";
import type { Environment } from "../../environments";
import { clusterOf, type SynthesizedContainer } from "../synthesis/container";

/** What the declared topics may take of a broker's disk. Kafka's internal topics are not counted. */
export interface BrokerDisk {
  /** The size of the disk, if the environment declares it. */
  readonly diskGiB?: number;
  readonly topicsGiB: number;
  /** The topics without a limit of size, which are not counted. */
  readonly unlimitedTopics: readonly string[];
}

const GIB = 1024 ** 3;

/** Returns what topics may take, or undefined if there are neither topics nor a declared disk. */
export function brokerDiskOf(
  { kafka: { diskGiB } }: Pick<Environment, "kafka">,
  containers: readonly SynthesizedContainer[],
): BrokerDisk | undefined {
  const brokers = containers.filter((container) => clusterOf(container) === "kafka");
  const topics = containers
    .flatMap(({ upload = [] }) => upload)
    .filter(({ file }) => file === TOPICS_FILE)
    .flatMap(({ content = "[]" }) => parseTopics(unescapeTemplate(content)));
  if (diskGiB === undefined && topics.length === 0) {
    return undefined;
  }
  const { bytesPerBroker, unlimited } = diskOfTopics(topics, Math.max(1, brokers.length));
  return {
    ...(diskGiB !== undefined && { diskGiB }),
    topicsGiB: Math.round((10 * bytesPerBroker) / GIB) / 10,
    unlimitedTopics: unlimited,
  };
}

/** Summarizes it in a line, which names topics only beside a declared disk. */
export function describeBrokerDisk({ diskGiB, topicsGiB, unlimitedTopics }: BrokerDisk): string {
  if (diskGiB === undefined) {
    const others =
      unlimitedTopics.length > 0 ? `, and ${unlimitedTopics.length} without a limit of size` : "";
    return `topics on each broker ${topicsGiB} GiB${others}`;
  }
  const share = Math.round((100 * topicsGiB) / diskGiB);
  const others =
    unlimitedTopics.length > 0 ? `, and those without a limit: ${unlimitedTopics.join(", ")}` : "";
  return `topics on each broker ${topicsGiB} of ${diskGiB} GiB (${share} %)${others}`;
}

/** Warns if topics may fill the declared disk. */
export function brokerDiskWarnings({ diskGiB, topicsGiB, unlimitedTopics }: BrokerDisk): string[] {
  if (diskGiB === undefined) {
    return [];
  }
  return [
    ...(topicsGiB > diskGiB
      ? [
          `topics may take ${topicsGiB} GiB on each broker, and kafka.diskGiB is ${diskGiB}: lower retention.bytes, segment.bytes or partitions, or add disk or brokers`,
        ]
      : []),
    ...(unlimitedTopics.length > 0
      ? [
          `topics without a limit of size may fill the ${diskGiB} GiB disk of a broker: set retention.bytes for ${unlimitedTopics.join(", ")}`,
        ]
      : []),
  ];
}
