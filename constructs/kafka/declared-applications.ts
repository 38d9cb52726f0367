import { renderJsonList } from "../container/file";
import { type FileChange, together } from "../container/file-change";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import type { Access, Application } from "../security/application";
import { describePermissions } from "../security/describe-permissions";

/** What applications may do in Kafka; Application.java reads it. */
export const APPLICATIONS_FILE = `${SIDECAR_DIR}/applications.json`;

/** Where earlier versions have a line for each application, in place of JSON. */
export const FORMER_APPLICATIONS_FILE = `${SIDECAR_DIR}/applications`;

interface DeclaredApplications {
  readonly applications: readonly Required<
    Pick<Application, "name" | "topics" | "consumerGroups">
  >[];
  /** Who sees how topics and groups are, by a certificate, and no record. */
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

/** Reads the lines of earlier versions too. */
export function parseApplications(text: string): DeclaredApplications {
  return text.startsWith("{") ? JSON.parse(text) : parseLines(text);
}

/** `orders topic:<access>:<pattern> group:<pattern>`, or `alloy monitor`. */
function parseLines(text: string): DeclaredApplications {
  const lines = text.split("\n").filter((line) => line !== "");
  const isMonitor = (line: string) => line.endsWith(" monitor");
  const applications = lines
    .filter((line) => !isMonitor(line))
    .map((line) => {
      const [name, ...rights] = line.split(" ");
      const topics = rights.flatMap((right) => {
        const [, access, topic] = /^topic:(\w+):(.*)$/.exec(right) ?? [];
        return topic === undefined ? [] : [[topic, access as Access]];
      });
      const consumerGroups = rights.flatMap((right) => /^group:(.*)$/.exec(right)?.[1] ?? []);
      return { name, topics: Object.fromEntries(topics), consumerGroups };
    });
  return { applications, monitors: lines.filter(isMonitor).map((line) => line.split(" ")[0]) };
}

/** Describes what applications get and lose. Who measures the platform is no application. */
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
