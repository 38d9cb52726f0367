import { resolveTopic, type Topic } from "../../constructs";
import type { Undeclared } from "../../constructs/init-sidecar/run-log";
import { configText } from "../../constructs/kafka/topic-config";
import type { Kafka } from "../platform/kafka";
import { CommandError } from "../terminal/terminal";
import { type Difference, missing } from "./difference";

/** The differences of topics, and the configs that are set and not declared. */
export interface TopicDrift {
  readonly differences: readonly Difference[];
  readonly undeclared: readonly Undeclared[];
}

/** A topic's effective configs, and the names of those that are set for the topic. */
interface LiveConfigs {
  readonly values: ReadonlyMap<string, string>;
  readonly set: readonly string[];
}

/** Compares the declared topics with Kafka. Skips those with `onDrift: "ignore"`. Throws if Kafka does not answer. */
export async function findTopicDrift(
  kafka: Pick<Kafka, "describeTopics" | "describeTopicConfigs">,
  topics: readonly Topic[],
  brokers: number,
): Promise<TopicDrift> {
  const described = await kafka.describeTopics();
  const configured = await kafka.describeTopicConfigs();
  const failed = [described, configured].find(({ exitCode }) => exitCode !== 0);
  if (failed) {
    throw new CommandError(`Kafka does not describe its topics: ${failed.output}`);
  }
  const live = new Map(
    [
      ...described.output.matchAll(
        /^Topic: (\S+)\t.*PartitionCount: (\d+)\tReplicationFactor: (\d+)\t/gm,
      ),
    ].map(([, name, ...counts]) => [name, counts]),
  );
  const configs = configsIn(configured.output);
  const declared = topics
    .map((topic) => resolveTopic(topic, brokers))
    .filter(({ onDrift }) => onDrift !== "ignore");
  return {
    differences: declared.flatMap((topic) => differencesOf(topic, live, configs)),
    undeclared: declared.flatMap(({ name, configs: wanted }) =>
      (configs.get(name)?.set ?? [])
        .filter((key) => !(key in wanted))
        .map((field) => ({
          resource: name,
          field,
          actual: configs.get(name)?.values.get(field) ?? "",
        })),
    ),
  };
}

function differencesOf(
  { name, partitions, replicationFactor, configs }: Required<Topic>,
  live: ReadonlyMap<string, readonly string[]>,
  liveConfigs: ReadonlyMap<string, LiveConfigs>,
): Difference[] {
  const resource = `topic ${name}`;
  const counts = live.get(name);
  const values = liveConfigs.get(name)?.values;
  if (counts === undefined || values === undefined) {
    return [missing(resource)];
  }
  return [
    ...[
      { field: "partitions", declared: String(partitions), actual: counts[0] },
      { field: "replicationFactor", declared: String(replicationFactor), actual: counts[1] },
    ].filter(({ declared, actual }) => declared !== actual),
    ...Object.entries(configs)
      .map(([field, value]) => ({
        field,
        declared: configText(field, value),
        actual: values.get(field) ?? "",
      }))
      .filter(({ declared, actual }) => !isSame(declared, actual)),
  ].map((difference) => ({ resource, ...difference }));
}

/** Parses the output of `kafka-configs.sh --describe --all` for topics. */
function configsIn(output: string): Map<string, LiveConfigs> {
  return new Map(
    output
      .split(/^(?=All configs for topic )/m)
      .filter((block) => block.startsWith("All configs"))
      .map((block) => {
        const [, name] = /^All configs for topic (\S+) are:/.exec(block) ?? [];
        const entries = [
          ...block.matchAll(/^\s+([a-z.]+)=(.*) sensitive=\w+ synonyms=\{(.*)\}\s*$/gm),
        ];
        return [
          name ?? "",
          {
            values: new Map(entries.map(([, key, value]) => [key, value])),
            set: entries
              .filter(([, , , synonyms]) => synonyms.includes("DYNAMIC_TOPIC_CONFIG:"))
              .map(([, key]) => key),
          },
        ];
      }),
  );
}

/** Compares values as Kafka parses them, like `Topic.java`: 0.0001 is 1.0E-4, TRUE is true, and the order of a list has no meaning. */
function isSame(declared: string, actual: string): boolean {
  if (/^(true|false)$/.test(actual)) {
    return declared.toLowerCase() === actual;
  }
  if (/^-?\d+$/.test(actual)) {
    return /^[+-]?\d+$/.test(declared) && BigInt(declared.replace("+", "")) === BigInt(actual);
  }
  if (/^-?\d+\.\d+(E-?\d+)?$/.test(actual)) {
    return Number(declared) === Number(actual);
  }
  const sorted = (list: string) => list.split(",").sort().join();
  return sorted(declared) === sorted(actual);
}
