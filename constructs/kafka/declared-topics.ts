import { isDeepStrictEqual } from "node:util";
import { renderJsonList } from "../container/file";
import { type FileChange, facts, together } from "../container/file-change";
import { removalCommand } from "../init-sidecar/left-over";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import { dataLossOf } from "./data-loss";
import type { Topic } from "./topic";
import { configText } from "./topic-config";

/** The topics that `kafka-init` provisions. Topic.java reads this file. */
export const TOPICS_FILE = `${SIDECAR_DIR}/topics.json`;

/** The file of earlier versions, with one line per topic instead of JSON. */
export const FORMER_TOPICS_FILE = `${SIDECAR_DIR}/topics`;

/** A topic as kafka-init reads it. */
export interface DeclaredTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly onDrift: string;
  /** Values as Kafka parses them. */
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

/** Parses the file, including the lines of earlier versions. */
export function parseTopics(text: string): readonly DeclaredTopic[] {
  return text.startsWith("[") ? JSON.parse(text) : parseLines(text);
}

/** Parses `orders 3 3 fail key=value;key=value`: name, partitions, replication factor, drift policy, configs. */
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

/** Describes how topics change, which records that deletes, and what Kafka does not do. A rename is refused. */
export function describeTopics(before?: string, after?: string): FileChange {
  const [old, now] = [before, after].map(
    (text) =>
      new Map(text === undefined ? [] : parseTopics(text).map((topic) => [topic.name, topic])),
  );
  const changes = together(
    [...new Set([...old.keys(), ...now.keys()])].map((name) =>
      describeTopic(name, old.get(name), now.get(name)),
    ),
  );
  const removed = [...old.values()].filter(({ name }) => !now.has(name));
  const added = [...now.values()].filter(({ name }) => !old.has(name));
  return { ...changes, refusals: removed.flatMap((topic) => renameRefusals(topic, added)) };
}

/** Describes why a topic cannot be replaced by a new one that is declared like it: Kafka would create that empty. */
function renameRefusals(topic: DeclaredTopic, added: readonly DeclaredTopic[]): string[] {
  const { name } = topic;
  const alike = added.find((other) => isDeepStrictEqual({ ...other, name }, topic));
  if (alike === undefined) {
    return [];
  }
  return [
    `topic ${name} is no longer declared, and topic ${alike.name}, which is declared like it, is new: Kafka cannot rename a topic, so ${alike.name} would be empty and the records would stay in ${name}. Declare both, deploy, move the records and the applications, then remove ${name} (docs/how-to/topic.md#rename-a-topic). If ${alike.name} does not take the place of ${name}, remove ${name} in a deploy of its own`,
  ];
}

function describeTopic(name: string, was?: DeclaredTopic, is?: DeclaredTopic): FileChange {
  if (is === undefined) {
    return {
      ...facts(`topic ${name}: no longer declared`),
      destructive: [
        `topic ${name} is no longer declared: Kafka keeps it and its records, but kafka-init no longer checks its guarantees. Once this is deployed, ${removalCommand("topic", name)} removes both`,
      ],
    };
  }
  if (was === undefined) {
    return {
      ...facts(
        `topic ${name}: added, partitions ${is.partitions}, replication factor ${is.replicationFactor}`,
      ),
      newlyDeclared: [{ kind: "topic", name }],
    };
  }
  const removed = Object.keys(was.configs).filter((key) => is.configs[key] === undefined);
  const changes = [
    ...differences(was, is),
    ...removed.map((key) => `${key} ${was.configs[key]} -> unset`),
  ];
  return {
    ...facts(...(changes.length > 0 ? [`topic ${name}: ${changes.join(", ")}`] : [])),
    dataLoss: dataLossOf(name, was.configs, is.configs),
    warnings: partitionWarnings(name, was.partitions, is.partitions),
  };
}

function partitionWarnings(name: string, was: number, is: number): string[] {
  if (is < was) {
    return [
      `topic ${name}: Kafka cannot remove partitions: if the topic exists, the deploy fails with exit code 73; undo the change, or declare a topic with another name and move the records`,
    ];
  }
  return is > was
    ? [
        `topic ${name}: new records with the same key may go to another partition than earlier ones, so consumers may see them out of order`,
      ]
    : [];
}

/** Returns the properties and configs that are new or have another value. */
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
