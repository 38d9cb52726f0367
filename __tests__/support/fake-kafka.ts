import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What happens to one call of the CLI instead of its work. */
export interface KafkaFault {
  /** Pattern over the tool and its arguments. */
  readonly on: string;
  readonly output?: string;
  readonly exitCode?: number;
  readonly sleepMs?: number;
  readonly signal?: string;
  /** Another client creates this topic first. */
  readonly createFirst?: LiveTopic & { readonly name: string };
}

export interface LiveTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** What the real tools of Kafka 4.3 print. */
export const COMPLAINTS = {
  refused: `[2026-01-01 00:00:00,000] WARN [AdminClient clientId=adminclient-1] Connection to node -1 (kafka-1.infra_net/172.19.0.4:19092) could not be established. Node may not be available. (org.apache.kafka.clients.NetworkClient)
Error while executing topic command : Timed out waiting for a node assignment. Call: listTopics
`,
  reset: `Error while executing topic command : Cancelled createTopics request with correlation id 3 due to node 1 being disconnected
`,
  unresolvable: `Failed to create new KafkaAdminClient
org.apache.kafka.common.KafkaException: Failed to create new KafkaAdminClient
	at org.apache.kafka.clients.admin.KafkaAdminClient.createInternal(KafkaAdminClient.java:573)
Caused by: org.apache.kafka.common.config.ConfigException: No resolvable bootstrap urls given in bootstrap.servers
`,
  notController: `Error while executing topic command : The broker is not the correct controller for this cluster.
`,
  tooFewBrokers: `Error while executing topic command : Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 2 broker(s) are registered or some brokers have all their log directories cordoned.
`,
  unauthorized: `Error while executing topic command : Authentication failed during authentication due to invalid credentials with SASL mechanism PLAIN
org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed
`,
} as const;

/** A Kafka cluster as the CLI shows it. */
export class FakeKafka {
  readonly root = mkdtempSync(join(tmpdir(), "fake-kafka-"));
  /** Where kafka-init finds the tools. */
  readonly bin = join(this.root, "bin");
  private faultCount = 0;

  constructor(topics: Readonly<Record<string, LiveTopic>> = {}) {
    for (const folder of ["topics", "faults", "bin"]) {
      mkdirSync(join(this.root, folder));
    }
    writeFileSync(join(this.root, "calls"), "");
    this.setBrokers(3);
    for (const [name, topic] of Object.entries(topics)) {
      mkdirSync(join(this.root, "topics", name));
      writeFileSync(join(this.root, "topics", name, "topic.json"), JSON.stringify(topic));
    }
    const cli = join(__dirname, "fake-kafka", "cli.mjs");
    for (const tool of ["kafka-topics", "kafka-configs", "kafka-cluster"]) {
      const wrapper = `#!/bin/sh\nFAKE_KAFKA='${this.root}' exec '${process.execPath}' '${cli}' ${tool} "$@"\n`;
      writeFileSync(join(this.bin, `${tool}.sh`), wrapper, { mode: 0o755 });
    }
  }

  /** How many of three brokers are registered and unfenced. */
  setBrokers(count: number): void {
    writeFileSync(join(this.root, "brokers"), String(count));
  }

  inject(...faults: KafkaFault[]): void {
    for (const fault of faults) {
      const file = String(this.faultCount++).padStart(4, "0");
      writeFileSync(join(this.root, "faults", file), JSON.stringify(fault));
    }
  }

  get topics(): Record<string, LiveTopic> {
    const folder = join(this.root, "topics");
    return Object.fromEntries(
      readdirSync(folder).map((name) => [
        name,
        JSON.parse(readFileSync(join(folder, name, "topic.json"), "utf8")),
      ]),
    );
  }

  get calls(): string[] {
    return readFileSync(join(this.root, "calls"), "utf8").trim().split("\n");
  }

  /** Calls that change something. */
  get writes(): string[] {
    return this.calls.filter((call) => /--(create|alter|delete)\b/.test(call));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
