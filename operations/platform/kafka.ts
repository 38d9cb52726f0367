import { type INetwork, KAFKA_CLIENT_CONFIG, kafkaAddresses } from "../../constructs";
import { nodeName } from "../../constructs/container/node-name";
import { TLS_FILES } from "../../constructs/kafka/kafka-client";
import { CERTIFICATE_RELOAD } from "../../constructs/kafka/kafka-cluster";
import type { Outcome } from "../engine/docker";
import { CommandError } from "../terminal/terminal";
import type { Cluster, Exec, ExecWithInput, Follow } from "./cluster";
import { KafkaInventory } from "./kafka-inventory";
import { KafkaMembers } from "./kafka-members";
import type { RunInBroker } from "./kafka-program";

/**
 * Makes a JVM that runs for a second three times as fast: no optimizing compiler, and a shared class archive that the first run
 * writes. Logging is off, also for an archive that cannot be written.
 */
const TOOL_JVM = [
  ...["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xlog:disable"],
  ...["-XX:+AutoCreateSharedArchive", "-XX:SharedArchiveFile=/tmp/kafka-tools.jsa"],
].join(" ");

/** The metadata records that a node may lag behind. The active controller writes two a second. */
const MOST_LAG = 10;

/** Versions of the format of Kafka's metadata. */
export interface MetadataVersion {
  readonly finalized: string;
  /** The newest one that a broker supports. */
  readonly supported: string;
}

export interface KafkaProps {
  /** The brokers' containers, without those on excluded machines. */
  readonly brokers: readonly string[];
  /** Those of them that are controllers. */
  readonly controllers: readonly string[];
  /** Returns the machine of a broker, if there are several. */
  readonly rackOf: (broker: string) => string | undefined;
  readonly infraNetwork: INetwork;
  readonly secured: boolean;
  readonly exec: Exec;
  readonly follow: Follow;
  readonly execWithInput: ExecWithInput;
}

/** Queries the running brokers with the Kafka CLI of their image. */
export class Kafka implements Cluster {
  readonly members: KafkaMembers;
  readonly inventory: KafkaInventory;

  constructor(private readonly props: KafkaProps) {
    const { brokers, secured, controllers, rackOf, follow } = props;
    const runWith =
      (serversOf: (broker: string) => readonly string[]): RunInBroker =>
      (broker, command, input, onLine) =>
        follow(broker, command, {
          env: [
            `KAFKA_BOOTSTRAP_SERVERS=${serversOf(broker)
              .map((each) => this.addresses(each).internal)
              .join(",")}`,
            `KAFKA_BOOTSTRAP_CONTROLLERS=${controllers.map((each) => this.addresses(each).controller).join(",")}`,
            ...(secured ? [`KAFKA_CLIENT_CONFIG=${KAFKA_CLIENT_CONFIG}`] : []),
          ],
          ...{ input, onLine },
        });
    this.members = new KafkaMembers({ rackOf, run: runWith((broker) => [broker]) });
    this.inventory = new KafkaInventory({
      ...{ brokers, secured, run: runWith(() => brokers) },
      serves: (broker) => this.serves(broker),
    });
  }

  /** Returns the output of `kafka-topics.sh --describe` for every topic. */
  describeTopics(broker = this.props.brokers[0]): Promise<Outcome> {
    return this.run(broker, "kafka-topics.sh", ["--describe"]);
  }

  /** Runs a Kafka CLI tool in a broker's container. In a secured cluster it authenticates as that broker. */
  run(broker: string, tool: string, args: readonly string[]): Promise<Outcome> {
    const { secured, exec } = this.props;
    return exec(
      broker,
      [
        ...[`/opt/kafka/bin/${tool}`, "--bootstrap-server", this.addresses(broker).internal],
        ...(secured ? ["--command-config", KAFKA_CLIENT_CONFIG] : []),
        ...args,
      ],
      // The container's JVM options would claim the broker's heap and ports again.
      ["KAFKA_HEAP_OPTS=-Xmx64m", `KAFKA_JVM_PERFORMANCE_OPTS=${TOOL_JVM}`],
    );
  }

  /** Returns the CA bundle of a secured cluster, PEM; empty if none of its brokers runs. */
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

  /**
   * Asks listeners (`host:port`), of this or another service, from a broker's container of a secured cluster. Prints a line for each, as
   * `constructs/kafka/certificate-reload/Presented.java` describes. `caBundle` has the expected CAs, PEM.
   */
  presented(broker: string, listeners: readonly string[], caBundle: string): Promise<Outcome> {
    const java = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx64m"];
    const program = ["-cp", CERTIFICATE_RELOAD.path, "Presented", TLS_FILES.keyStore, ...listeners];
    return this.props.execWithInput(broker, [...java, ...program], caBundle);
  }

  /** Runs the broker's health check. */
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

  async versions(brokers: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const versions = new Map<string, string>();
    // In sequence: each starts a JVM.
    for (const broker of brokers) {
      const { exitCode, output } = await this.run(broker, "kafka-topics.sh", ["--version"]);
      const [version] = /^\d+\.\d+\.\d+/m.exec(output) ?? [];
      if (exitCode === 0 && version !== undefined) {
        versions.set(broker, version);
      }
    }
    return versions;
  }

  /** Returns the finalized `metadata.version`, such as 4.2-IV1, and the newest one that the broker supports. Throws if it does not answer. */
  async metadataVersion(broker: string): Promise<MetadataVersion> {
    const { exitCode, output } = await this.run(broker, "kafka-features.sh", ["describe"]);
    const [, supported, finalized] =
      /^Feature: metadata\.version\s.*SupportedMaxVersion: (\S+)\s+FinalizedVersionLevel: (\S+)/m.exec(
        output,
      ) ?? [];
    if (exitCode !== 0 || finalized === undefined) {
      throw new CommandError(`${broker} does not tell the metadata.version of Kafka: ${output}`);
    }
    return { supported, finalized };
  }

  /** Returns the number of a version of the metadata, such as 30 for 4.3-IV0. */
  async metadataLevel(broker: string, version: string): Promise<number> {
    const mapping = ["version-mapping", "--release-version", version];
    const { exitCode, output } = await this.run(broker, "kafka-features.sh", mapping);
    const [, level] = /^metadata\.version=(\d+)/m.exec(output) ?? [];
    if (exitCode !== 0 || level === undefined) {
      throw new CommandError(`${broker} does not know metadata.version ${version}: ${output}`);
    }
    return Number(level);
  }

  /**
   * Raises `metadata.version`, or only validates that (`isDryRun`). Throws if Kafka refuses. Never with `--release-version`, which also
   * raises `kraft.version` and makes a static quorum dynamic for good.
   */
  async raiseMetadataVersion(
    broker: string,
    level: number,
    { isDryRun }: { readonly isDryRun: boolean },
  ): Promise<void> {
    const { exitCode, output } = await this.run(broker, "kafka-features.sh", [
      ...["upgrade", "--feature", `metadata.version=${level}`],
      ...(isDryRun ? ["--dry-run"] : []),
    ]);
    if (exitCode !== 0) {
      throw new CommandError(`Kafka refuses metadata.version=${level}: ${output}`);
    }
  }

  /**
   * Returns the brokers that lag behind the cluster's metadata; undefined if none does. A broker that is cut off from the controllers
   * keeps reporting the old state of the replicas.
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
