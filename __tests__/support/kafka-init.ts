import { resolveTopic, type Topic } from "../../constructs";
import { renderTopics } from "../../constructs/kafka/declared-topics";
import { type FakeKafka, type KafkaFault, KafkaHarness, type LiveTopic } from "./fake-kafka";
import { type SidecarOptions, startSidecar } from "./sidecar";

export const TOPICS: Topic[] = [
  { name: "infra-events", partitions: 3, configs: { "min.insync.replicas": 2 } },
  { name: "app.logs", partitions: 6, configs: { "cleanup.policy": "compact,delete" } },
];
export const INFRA_EVENTS: LiveTopic = {
  partitions: 3,
  replicationFactor: 3,
  configs: { "min.insync.replicas": "2" },
};
export const APP_LOGS: LiveTopic = {
  partitions: 6,
  replicationFactor: 3,
  configs: { "min.insync.replicas": "2", "cleanup.policy": "delete,compact" },
};
export const AS_DECLARED = { "infra-events": INFRA_EVENTS, "app.logs": APP_LOGS };

export let harness: KafkaHarness;
beforeAll(async () => {
  harness = await KafkaHarness.start();
});
afterAll(() => harness.stop());

interface Options extends Partial<SidecarOptions> {
  readonly topics?: readonly Topic[];
  /** The bootstrap servers. @default - the cluster */
  readonly bootstrapServers?: string;
  /** Whether the run starts a new JVM, as in its container. */
  readonly ownJvm?: boolean;
  readonly env?: (directory: string) => Record<string, string>;
}

export function start(cluster: FakeKafka, options: Options = {}) {
  const { topics = TOPICS, bootstrapServers, ownJvm = false, env, ...others } = options;
  return startSidecar({
    script: "kafka/kafka-init.sh",
    beside: ["kafka/kafka-init.jar"],
    files: [
      { path: "topics.json", content: renderTopics(topics.map((topic) => resolveTopic(topic, 3))) },
    ],
    declared: topics.map(({ name }) => name).join(" "),
    tools: ownJvm ? {} : { java: harness.standIn },
    env: (directory) => ({
      KAFKA_LIBS: harness.libraries,
      KAFKA_BOOTSTRAP_SERVERS: bootstrapServers ?? `127.0.0.1:${cluster.port}`,
      KAFKA_BROKERS: "3",
      TOPICS_FILE: `${directory}/topics.json`,
      ...env?.(directory),
    }),
    ...others,
  });
}

export const run = (...args: Parameters<typeof start>) => start(...args).done;

/** Runs kafka-init in a cluster with these topics and faults. */
export async function runIn(
  topics: Readonly<Record<string, LiveTopic>>,
  faults: KafkaFault[] = [],
  options?: Options,
) {
  const cluster = await harness.cluster(topics, ...faults);
  const result = await run(cluster, options);
  return { result, ...(await cluster.look()) };
}

export const aboutTopics = (calls: readonly string[]) =>
  calls.filter((call) => call !== "DescribeCluster");

/** Returns the declared topics with the same policy for all. */
export const withPolicy = (onDrift: Topic["onDrift"]) =>
  TOPICS.map((topic) => ({ ...topic, onDrift }));
