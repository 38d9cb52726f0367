import { renderJsonList } from "../container/file";
import { type FileChange, together } from "../container/file-change";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import type { Access, Application } from "../security/application";
import { describePermissions } from "../security/describe-permissions";

/** The permissions of applications in Kafka. Application.java reads this file. */
export const APPLICATIONS_FILE = `${SIDECAR_DIR}/applications.json`;

/** The file of earlier versions, with one line per application instead of JSON. */
export const FORMER_APPLICATIONS_FILE = `${SIDECAR_DIR}/applications`;

interface DeclaredApplications {
  readonly applications: readonly Required<
    Pick<Application, "name" | "topics" | "consumerGroups">
  >[];
  /** Principals that may describe all topics and consumer groups but read no records. They authenticate with a certificate. */
  readonly monitors: readonly string[];
}

export function renderApplications(
  applications: readonly Application[],
  monitors: readonly string[] = [],
): string {
  const permissions = applications.map(({ name, topics = {}, consumerGroups = [] }) => ({
    name,
    topics,
    consumerGroups,
  }));
  return `{"applications": ${renderJsonList(permissions)}, "monitors": ${JSON.stringify(monitors)}}\n`;
}

/** Parses the file, including the lines of earlier versions. */
export function parseApplications(text: string): DeclaredApplications {
  return text.startsWith("{") ? JSON.parse(text) : parseLines(text);
}

/** Parses `orders topic:<access>:<pattern> group:<pattern>` or `alloy monitor`. */
function parseLines(text: string): DeclaredApplications {
  const lines = text.split("\n").filter((line) => line !== "");
  const isMonitor = (line: string) => line.endsWith(" monitor");
  const applications = lines
    .filter((line) => !isMonitor(line))
    .map((line) => {
      const [name, ...permissions] = line.split(" ");
      const topics = permissions.flatMap((permission) => {
        const [, access, topic] = /^topic:(\w+):(.*)$/.exec(permission) ?? [];
        return topic === undefined ? [] : [[topic, access as Access]];
      });
      const consumerGroups = permissions.flatMap(
        (permission) => /^group:(.*)$/.exec(permission)?.[1] ?? [],
      );
      return { name, topics: Object.fromEntries(topics), consumerGroups };
    });
  return { applications, monitors: lines.filter(isMonitor).map((line) => line.split(" ")[0]) };
}

/** Describes which permissions applications gain and lose. Monitors are not applications. */
export function describeApplications(before?: string, after?: string): FileChange {
  const [old, now] = [permissionsIn(before), permissionsIn(after)];
  return together(
    [...new Set([...old.keys(), ...now.keys()])].map((name) =>
      describePermissions(name, "Kafka", old.get(name), now.get(name)),
    ),
  );
}

function permissionsIn(text?: string): Map<string, string[]> {
  const { applications } = text === undefined ? { applications: [] } : parseApplications(text);
  return new Map(
    applications.map(({ name, topics, consumerGroups }) => [
      name,
      [
        ...Object.entries(topics).flatMap(([topic, access]) =>
          (access.match(/read|write/g) ?? []).map((action) => `${action} on topic ${topic}`),
        ),
        ...consumerGroups.map((group) => `consumer group ${group}`),
      ],
    ]),
  );
}
