import { renderJsonList } from "../container/file";
import { type FileChange, facts, together } from "../container/file-change";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import type { Topic } from "./topic";
import { configText, removalOfConfigs } from "./topic-config";

/** The topics that `kafka-init` provisions; Topic.java reads it. */
export const TOPICS_FILE = `${SIDECAR_DIR}/topics.json`;

/** Where earlier versions have a line for each topic, in place of JSON. */
export const FORMER_TOPICS_FILE = `${SIDECAR_DIR}/topics`;

interface DeclaredTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly onDrift: string;
  /** Values as Kafka reads them. */
  readonly configs: Readonly<Record<string, string>>;
}

export function renderTopics(topics: readonly Required<Topic>[]): string {
  const declared = topics.map(
    ({ name, partitions, replicationFactor, onDrift, configs }): DeclaredTopic => ({
      name,
      partitions,
      replicationFactor,
      onDrift,
      configs: Object.fromEntries(
        Object.entries(configs).map(([key, value]) => [key, configText(key, value)]),
      ),
    }),
  );
  return `${renderJsonList(declared)}\n`;
}

/** Reads the lines of earlier versions too. */
function parseTopics(text: string): readonly DeclaredTopic[] {
  return text.startsWith("[") ? JSON.parse(text) : parseLines(text);
}

/** `orders 3 3 fail key=value;key=value`: name, partitions, replication factor, drift policy, configs. */
function parseLines(text: string): DeclaredTopic[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [name, partitions, replicationFactor, onDrift, settings = ""] = line.split(" ");
    const configs = settings
      .split(";")
      .filter(Boolean)
      .map((setting) => setting.split(/=(.*)/).slice(0, 2));
    return {
      name,
      partitions: Number(partitions),
      replicationFactor: Number(replicationFactor),
      onDrift,
      configs: Object.fromEntries(configs),
    };
  });
}

/** Describes what becomes of topics, and what of it Kafka or `kafka-init` will not do. */
export function describeTopics(before?: string, after?: string): FileChange {
  const [old, now] = [before, after].map(
    (text) =>
      new Map(text === undefined ? [] : parseTopics(text).map((topic) => [topic.name, topic])),
  );
  return together(
    [...new Set([...old.keys(), ...now.keys()])].map((name) =>
      describeTopic(name, old.get(name), now.get(name)),
    ),
  );
}

function describeTopic(name: string, was?: DeclaredTopic, is?: DeclaredTopic): FileChange {
  if (is === undefined) {
    return {
      ...facts(`topic ${name}: no longer declared`),
      destructive: [
        `topic ${name} is no longer declared: it stays in Kafka with its records, but nothing keeps its guarantees any more`,
      ],
    };
  }
  if (was === undefined) {
    return facts(
      `topic ${name}: added, partitions ${is.partitions}, replication factor ${is.replicationFactor}`,
    );
  }
  const { details, destructive, warnings } = facts();
  const differing = differences(was, is);
  const left = Object.entries(was.configs).filter(([key]) => is.configs[key] === undefined);
  const told = [...differing, ...left.map(([key]) => `${key} no longer declared`)];
  if (told.length > 0) {
    details.push(`topic ${name}: ${told.join(", ")}`);
  }
  if (left.length > 0) {
    warnings.push(describeLeft(name, left));
  }
  if (is.partitions < was.partitions || is.replicationFactor !== was.replicationFactor) {
    warnings.push(
      `topic ${name}: Kafka removes no partitions and kafka-init moves no replicas: where the topic exists the deploy ends with exit code 73; undo it, or declare a topic of another name`,
    );
  } else if (is.onDrift === "fail" && differing.some((text) => !text.startsWith("onDrift"))) {
    warnings.push(
      `topic ${name}: where it exists as it was declared before, the deploy ends with exit code 73; set onDrift: "reconcile", or change the topic by hand first`,
    );
  }
  return { details, destructive, warnings };
}

/** What has another value in the declaration, or is new in it. */
function differences(was: DeclaredTopic, is: DeclaredTopic): string[] {
  const numbers = (
    [
      ["partitions", "partitions"],
      ["replicationFactor", "replication factor"],
      ["onDrift", "onDrift"],
    ] as const
  )
    .filter(([key]) => was[key] !== is[key])
    .map(([key, words]) => `${words} ${was[key]} -> ${is[key]}`);
  const configs = Object.entries(is.configs)
    .filter(([key, value]) => was.configs[key] !== value)
    .map(([key, value]) => `${key} ${was.configs[key] ?? "unset"} -> ${value}`);
  return [...numbers, ...configs];
}

/** Configs that are not declared any more hold on: kafka-init sets what is declared and looks at nothing else. */
function describeLeft(topic: string, left: readonly [string, string][]): string {
  const listing = left.map(([key, value]) => `${key} stays ${value}`).join(", ");
  const keys = left.map(([key]) => key);
  return `topic ${topic}: ${listing} where the topic exists: no longer declared, and kafka-init changes nothing that is not declared; declare the value that shall hold, or remove it with ${removalOfConfigs(topic, keys)}`;
}
