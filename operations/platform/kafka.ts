import { type INetwork, KAFKA_CLIENT_CONFIG, kafkaAddresses } from "../../constructs";
import { nodeName } from "../../constructs/container/node-name";
import { TLS_FILES } from "../../constructs/kafka/kafka-client";
import type { Outcome } from "../engine/docker";
import type { Cluster, Exec } from "./cluster";

/**
 * For a JVM of a second: no optimising compiler, and the classes as the first one left them, which makes it three times as quick. It
 * says nothing, also where it cannot keep them.
 */
const TOOL_JVM = [
  ...["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xlog:disable"],
  ...["-XX:+AutoCreateSharedArchive", "-XX:SharedArchiveFile=/tmp/kafka-tools.jsa"],
].join(" ");

/** Records of the cluster's metadata, of which the active controller writes two a second, that a node may still have to read. */
const MOST_LAG = 10;

export interface KafkaProps {
  /** Containers of the brokers, without those on excluded machines. */
  readonly brokers: readonly string[];
  readonly infraNetwork: INetwork;
  readonly secured: boolean;
  readonly exec: Exec;
}

/** Asks the brokers that run, by the Kafka CLI of their image. */
export class Kafka implements Cluster {
  constructor(private readonly props: KafkaProps) {}

  /** What `kafka-topics.sh --describe` prints of every topic. */
  describeTopics(): Promise<Outcome> {
    return this.run(this.props.brokers[0], "kafka-topics.sh", ["--describe"]);
  }

  /** Runs a tool of the Kafka CLI in a broker's container and, in a secured cluster, as that broker. */
  run(broker: string, tool: string, args: readonly string[]): Promise<Outcome> {
    const { secured, exec } = this.props;
    return exec(
      broker,
      [
        ...[`/opt/kafka/bin/${tool}`, "--bootstrap-server", this.addresses(broker).internal],
        ...(secured ? ["--command-config", KAFKA_CLIENT_CONFIG] : []),
        ...args,
      ],
      // The broker's own JVM options would claim its heap and ports again.
      ["KAFKA_HEAP_OPTS=-Xmx64m", `KAFKA_JVM_PERFORMANCE_OPTS=${TOOL_JVM}`],
    );
  }

  /** The CA bundle of a secured cluster, PEM; empty where no broker of one runs. */
  async caBundle(): Promise<string> {
    const { brokers, exec } = this.props;
    for (const broker of brokers) {
      const { exitCode, output } = await exec(broker, ["cat", TLS_FILES.trustStore]);
      if (exitCode === 0) {
        return output;
      }
    }
    return "";
  }

  /** By the broker's own health check. */
  async serves(broker: string): Promise<boolean> {
    const check = ["timeout", "5", "bash", "/groundwork/healthcheck.sh"];
    const { health } = this.addresses(broker);
    return (await this.props.exec(broker, [...check, ...health])).exitCode === 0;
  }

  async incomplete(broker: string): Promise<string | undefined> {
    const { exitCode, output } = await this.run(broker, "kafka-topics.sh", [
      "--describe",
      "--under-replicated-partitions",
    ]);
    if (exitCode !== 0) {
      return output;
    }
    const behind = [...output.matchAll(/Topic: (\S+)\tPartition: (\d+)/g)].map(
      ([, topic, partition]) => `${topic}-${partition}`,
    );
    const more = behind.length > 3 ? ` and ${behind.length - 3} more` : "";
    return behind.length === 0
      ? this.outOfDate(broker)
      : `under-replicated partitions (${behind.length}): ${behind.slice(0, 3).join(", ")}${more}`;
  }

  async coordinator(broker: string): Promise<string | undefined> {
    const { output } = await this.run(broker, "kafka-metadata-quorum.sh", ["describe", "--status"]);
    const [, leader] = /^LeaderId:\s+(\d+)/m.exec(output) ?? [];
    return leader && nodeName("kafka", leader);
  }

  /**
   * What keeps a broker from knowing what is decided, or nothing. One that is cut off from the controllers goes on saying of every replica what
   * was so before.
   */
  private async outOfDate(broker: string): Promise<string | undefined> {
    const { exitCode, output } = await this.run(broker, "kafka-metadata-quorum.sh", [
      "describe",
      "--replication",
    ]);
    if (exitCode !== 0) {
      return output;
    }
    // NodeId, DirectoryId, LogEndOffset, Lag, ...
    const lags = new Map(
      [...output.matchAll(/^(\d+)\s+\S+\s+\S+\s+(\d+)/gm)].map(([, id, lag]) => [
        nodeName("kafka", id),
        Number(lag),
      ]),
    );
    const behind = this.props.brokers.filter(
      (name) => (lags.get(name) ?? Number.POSITIVE_INFINITY) > MOST_LAG,
    );
    return behind.length === 0
      ? undefined
      : `not caught up with the cluster's metadata: ${behind.join(", ")}`;
  }

  private addresses(broker: string) {
    const { infraNetwork, secured } = this.props;
    return kafkaAddresses(broker, infraNetwork, secured);
  }
}
