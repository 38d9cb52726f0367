import { type Application, resolveTopic, type Topic } from "../../constructs";
import { renderApplications } from "../../constructs/kafka/declared-applications";
import { renderTopics } from "../../constructs/kafka/declared-topics";
import { MONITOR } from "../../constructs/security/principals";
import { CommandError } from "../terminal/terminal";
import { KafkaProgram, type RunInBroker } from "./kafka-program";

interface ReportedDifference {
  readonly field: string;
  readonly declared: string;
  readonly actual: string;
}

/** A topic of the cluster or the declaration. KafkaInventory.java describes it. */
export interface ReportedTopic {
  readonly topic: string;
  readonly exists: boolean;
  readonly isDeclared: boolean;
  /** Whether kafka-init has applied a declaration of it. */
  readonly isApplied: boolean;
  /** Whether it is one of Kafka's own, or that in which kafka-init remembers what it applied. Unset if it does not exist. */
  readonly isInternal?: boolean;
  /** A declared application that creates topics of such a name itself. */
  readonly createdBy?: string;
  readonly partitions?: number;
  readonly replicationFactor?: number;
  /** Of a declared topic that exists, as kafka-init compares it, and whether kafka-init takes it for an edit by hand. */
  readonly differences?: readonly (ReportedDifference & { readonly drifted: boolean })[];
  /** The configs that are set and not declared. */
  readonly undeclared?: readonly { readonly field: string; readonly actual: string }[];
}

/** A user of the cluster or the declaration, with its ACLs in words: `Read on topic orders`. */
export interface ReportedUser {
  /** The name, or the whole principal if it is no user. */
  readonly user: string;
  readonly isDeclared: boolean;
  /** Whether kafka-init has created it. */
  readonly isMarked: boolean;
  readonly hasPassword: boolean;
  readonly acls: readonly string[];
  /** Of a declared user: false if it authenticates with a certificate. */
  readonly needsPassword?: boolean;
  readonly missing?: readonly string[];
  readonly surplus?: readonly string[];
  /** The quotas that are not as declared, by Kafka's names. */
  readonly quotas?: readonly ReportedDifference[];
}

/** What a Kafka cluster has, compared with a declaration. */
export interface KafkaReport {
  readonly topics: readonly ReportedTopic[];
  /** Empty for a plaintext cluster. */
  readonly users: readonly ReportedUser[];
}

interface DeclaredInKafka {
  readonly topics: readonly Topic[];
  readonly applications: readonly Application[];
  /** The number of brokers, from which a topic's defaults follow. */
  readonly brokers: number;
}

export interface KafkaInventoryProps {
  /** The brokers' containers. The first one that serves is asked. */
  readonly brokers: readonly string[];
  readonly serves: (broker: string) => Promise<boolean>;
  readonly secured: boolean;
  readonly run: RunInBroker;
}

/** Reports the topics, users and ACLs of Kafka with a program on its AdminClient, which compares them as kafka-init does. */
export class KafkaInventory {
  private readonly program: KafkaProgram;

  constructor(private readonly props: KafkaInventoryProps) {
    this.program = new KafkaProgram("KafkaInventory", props.run);
  }

  /** Compares the cluster with a declaration. Changes nothing. Throws if Kafka does not answer. */
  async report({ topics, applications, brokers }: DeclaredInKafka): Promise<KafkaReport> {
    const { secured } = this.props;
    const broker = await this.firstServing();
    const resolved = topics.map((topic) => resolveTopic(topic, brokers));
    const declaration = {
      topics: JSON.parse(renderTopics(resolved)),
      ...(secured && { applications: JSON.parse(renderApplications(applications, [MONITOR])) }),
    };
    const lines = await this.program.run<object>(broker, ["report"], {
      input: `${JSON.stringify(declaration)}\n`,
    });
    if (!lines.some((line) => "done" in line)) {
      throw new CommandError(`${broker} does not tell all topics and users of Kafka`);
    }
    return {
      topics: lines.filter((line): line is ReportedTopic => "topic" in line),
      users: lines.filter((line): line is ReportedUser => "user" in line),
    };
  }

  /** Deletes topics with their records. Throws with Kafka's words if it refuses. */
  async remove(topics: readonly string[]): Promise<void> {
    await this.program.run(await this.firstServing(), ["remove", ...topics]);
  }

  /** Returns the first broker that serves, or the first one of all, which then says why it does not. */
  private async firstServing(): Promise<string> {
    const { brokers, serves } = this.props;
    for (const broker of brokers) {
      if (await serves(broker)) {
        return broker;
      }
    }
    return brokers[0];
  }
}
