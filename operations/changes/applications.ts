import { basename } from "node:path";
import { MONITOR } from "../../constructs/security/principals";
import { type FileChange, facts } from "./file-change";

/**
 * What applications may do in Kafka, from what kafka-init reads: a line for each, its name and `topic:<access>:<pattern>` or
 * `group:<pattern>`. Who measures the platform is no application.
 */
export function describeKafkaRights(before?: string, after?: string): FileChange {
  const [old, now] = [parseKafkaRights(before), parseKafkaRights(after)];
  const changes = [...new Set([...old.keys(), ...now.keys()])].map((name) =>
    describeRights(name, "Kafka", old.get(name), now.get(name)),
  );
  return {
    details: changes.flatMap(({ details }) => details),
    destructive: changes.flatMap(({ destructive }) => destructive),
    warnings: [],
  };
}

function parseKafkaRights(text = ""): Map<string, string[]> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith(`${MONITOR} `));
  return new Map(
    lines.map((line) => {
      const [name, ...rights] = line.split(" ");
      return [
        name,
        rights.flatMap((right) => {
          const [, access, topic] = /^topic:(\w+):(.*)$/.exec(right) ?? [];
          return access === undefined
            ? `consumer group ${right.replace("group:", "")}`
            : (access.match(/read|write/g) ?? []).map((action) => `${action} on topic ${topic}`);
        }),
      ];
    }),
  );
}

/** What an application may do in OpenSearch: of the files that os-security reads of it, its role tells. */
export function describeIndexRights(path: string, before?: string, after?: string): FileChange {
  const [, name, kind] = /^(.*)\.(\w+)\.json$/.exec(basename(path)) ?? [];
  return kind === "role" && name !== MONITOR
    ? describeRights(name, "OpenSearch", parseRole(before), parseRole(after))
    : facts();
}

function parseRole(text?: string): string[] | undefined {
  if (text === undefined) {
    return undefined;
  }
  const role: { index_permissions: { index_patterns: string[]; allowed_actions: string[] }[] } =
    JSON.parse(text);
  return role.index_permissions.flatMap(({ index_patterns: [pattern], allowed_actions }) =>
    ["read", "write"]
      .filter((action) => allowed_actions.includes(action))
      .map((action) => `${action} on index ${pattern}`),
  );
}

function describeRights(
  name: string,
  cluster: string,
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
): FileChange {
  if (after === undefined) {
    return {
      ...facts(`application ${name}: no longer declared`),
      destructive: [
        `application ${name} is no longer declared: the deploy revokes its user and its rights in ${cluster}, and refuses it from then on`,
      ],
    };
  }
  if (before === undefined) {
    return facts(`application ${name}: added, ${after.join(", ") || `no rights in ${cluster}`}`);
  }
  const lost = before.filter((right) => !after.includes(right));
  const gained = after.filter((right) => !before.includes(right));
  return {
    ...facts(
      ...gained.map((right) => `application ${name}: gets ${right}`),
      ...lost.map((right) => `application ${name}: loses ${right}`),
    ),
    destructive: lost.map(
      (right) => `application ${name} loses ${right}: the deploy revokes it in ${cluster}`,
    ),
  };
}
