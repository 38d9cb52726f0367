import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { removalOfConfigs } from "../../constructs/kafka/topic-config";
import {
  APPLICATIONS_DIR,
  describeApplicationFile,
} from "../../constructs/opensearch/declared-applications";
import { type FileChange, facts } from "../../constructs/service/file-change";
import type { Json } from "../synthesis/tree";
import { describeKafkaRights } from "./applications";

/**
 * What differs in a file that a container gets. What a file declares, topics, templates and dashboards, is told for a container
 * that is wholly new too; any other file only when the container was there before.
 */
export function describeFile(
  path: string,
  before: string | undefined,
  after: string | undefined,
  containerStays: boolean,
): FileChange {
  if (before === after) {
    return facts();
  }
  if (path === "/groundwork/topics") {
    return describeTopics(before, after);
  }
  if (path.startsWith("/groundwork/index-templates/")) {
    return describeTemplate(path, before, after);
  }
  if (path.startsWith("/etc/grafana/dashboards/")) {
    return describeDashboard(before, after);
  }
  if (path === "/groundwork/applications") {
    return describeKafkaRights(before, after);
  }
  // But for the platform's own roles.
  if (path.startsWith(`${APPLICATIONS_DIR}/`) && !basename(path).startsWith("groundwork_")) {
    return describeApplicationFile(path, before, after);
  }
  if (path === "/etc/prometheus/declared.json") {
    return containerStays ? describeDeclared(before, after) : facts();
  }
  if (!containerStays) {
    return facts();
  }
  const what = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  return facts(`${path.endsWith(".jar") ? "program" : "file"} ${path} ${what}`);
}

interface TopicLine {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly onDrift: string;
  readonly configs: ReadonlyMap<string, string>;
}

/** The file that kafka-init reads: a line for each topic. */
function parseTopics(text = ""): Map<string, TopicLine> {
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [name, partitions, replicationFactor, onDrift, settings = ""] = line.split(" ");
        const configs = new Map(
          settings
            .split(";")
            .filter((setting) => setting !== "")
            .map((setting) => setting.split(/=(.*)/).slice(0, 2) as [string, string]),
        );
        return [
          name,
          {
            name,
            partitions: Number(partitions),
            replicationFactor: Number(replicationFactor),
            onDrift,
            configs,
          },
        ];
      }),
  );
}

function describeTopics(before?: string, after?: string): FileChange {
  const [old, now] = [parseTopics(before), parseTopics(after)];
  const { details, destructive, warnings } = facts();
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(name), now.get(name)];
    if (is === undefined) {
      details.push(`topic ${name}: no longer declared`);
      destructive.push(
        `topic ${name} is no longer declared: it stays in Kafka with its records, but nothing keeps its guarantees any more`,
      );
    } else if (was === undefined) {
      details.push(
        `topic ${name}: added, partitions ${is.partitions}, replication factor ${is.replicationFactor}`,
      );
    } else {
      const differing = describeTopic(was, is);
      const left = [...was.configs].filter(([key]) => !is.configs.has(key));
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
    }
  }
  return { details, destructive, warnings };
}

/** What has another value in the declaration, or is new in it. */
function describeTopic(was: TopicLine, is: TopicLine): string[] {
  const numbers = (
    [
      ["partitions", "partitions"],
      ["replicationFactor", "replication factor"],
      ["onDrift", "onDrift"],
    ] as const
  )
    .filter(([key]) => was[key] !== is[key])
    .map(([key, words]) => `${words} ${was[key]} -> ${is[key]}`);
  const configs = [...is.configs]
    .filter(([key, value]) => was.configs.get(key) !== value)
    .map(([key, value]) => `${key} ${was.configs.get(key) ?? "unset"} -> ${value}`);
  return [...numbers, ...configs];
}

/** Configs that are not declared any more hold on: kafka-init sets what is declared and looks at nothing else. */
function describeLeft(topic: string, left: readonly [string, string][]): string {
  const listing = left.map(([key, value]) => `${key} stays ${value}`).join(", ");
  const keys = left.map(([key]) => key);
  return `topic ${topic}: ${listing} where the topic exists: no longer declared, and kafka-init changes nothing that is not declared; declare the value that shall hold, or remove it with ${removalOfConfigs(topic, keys)}`;
}

/** Of a template's files, the one that OpenSearch gets speaks for all; the policy is a file of its own. */
function describeTemplate(path: string, before?: string, after?: string): FileChange {
  const [, name, part] = /^(.*?)\.(compare\.json|json|meta|on-drift)$/.exec(basename(path)) ?? [];
  if (part === "on-drift") {
    return before !== undefined && after !== undefined
      ? facts(`template ${name}: onDrift ${before.trim()} -> ${after.trim()}`)
      : facts();
  }
  if (part !== "json") {
    return facts();
  }
  if (after === undefined) {
    return {
      ...facts(`template ${name}: no longer declared`),
      destructive: [
        `template ${name} is no longer declared: it stays in OpenSearch, but nothing keeps it as it is any more`,
      ],
    };
  }
  if (before === undefined) {
    const { index_patterns } = JSON.parse(after);
    return facts(`template ${name}: added, for ${index_patterns.join(", ")}`);
  }
  const paths = differingPaths(JSON.parse(before), JSON.parse(after));
  return {
    ...facts(`template ${name}: ${paths.join(", ")} changed`),
    warnings: [
      `template ${name}: where it exists as it was declared before, the deploy ends with exit code 73 unless its onDrift is reconcile or ignore; indices that exist keep their mapping`,
    ],
  };
}

/** Paths of what differs, as deep as both sides have the same shape. */
function differingPaths(before: Json, after: Json, path = ""): string[] {
  const isObject = (value: Json) =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(before) || !isObject(after)) {
    return isDeepStrictEqual(before, after) ? [] : [path];
  }
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differingPaths(before[key], after[key], path === "" ? key : `${path}.${key}`),
  );
}

function describeDashboard(before?: string, after?: string): FileChange {
  const [old, now] = [before, after].map((text) => text && JSON.parse(text));
  const title = (now ?? old).title;
  if (old === undefined || now === undefined) {
    return facts(`dashboard ${title}: ${old ? "removed" : "added"}`);
  }
  const panels = (model: Json) =>
    new Map<number, Json>(model.panels.map((panel: Json) => [panel.id, panel]));
  const [was, is] = [panels(old), panels(now)];
  const count = (ids: number[], what: string) =>
    ids.length === 0 ? [] : [`${ids.length} panel${ids.length === 1 ? "" : "s"} ${what}`];
  const what = [
    ...count(
      [...is.keys()].filter((id) => was.has(id) && !isDeepStrictEqual(was.get(id), is.get(id))),
      "changed",
    ),
    ...count(
      [...is.keys()].filter((id) => !was.has(id)),
      "added",
    ),
    ...count(
      [...was.keys()].filter((id) => !is.has(id)),
      "removed",
    ),
    ...Object.keys({ ...old, ...now })
      .filter((key) => key !== "panels" && !isDeepStrictEqual(old[key], now[key]))
      .map((key) => `${key} changed`),
  ];
  return facts(`dashboard ${title}: ${what.join(", ")}`);
}

function describeDeclared(before = "", after = ""): FileChange {
  const numbers = (text: string) =>
    new Map<string, string>(
      text === ""
        ? []
        : JSON.parse(text).groups[0].rules.map(({ record, labels = {}, expr }: Json) => [
            [record.replace("groundwork_declared_", ""), ...Object.values(labels)].join(" "),
            expr.slice("vector(".length, -1),
          ]),
    );
  const [old, now] = [numbers(before), numbers(after)];
  const details = [...new Set([...old.keys(), ...now.keys()])]
    .filter((key) => old.get(key) !== now.get(key))
    .map((key) => `declared ${key} ${old.get(key) ?? "unset"} -> ${now.get(key) ?? "unset"}`);
  return facts(...details);
}
