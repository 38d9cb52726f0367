import { renderJsonList } from "../container/file";
import { type FileChange, facts, together } from "../container/file-change";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import { type Access, type Application, hasCertificate } from "../security/application";
import { describePermissions } from "../security/describe-permissions";
import { type Acl, aclsOf } from "./acls";
import { type KafkaQuotas, QUOTA_KEYS, quotasOf } from "./quotas";

/** The permissions of applications in Kafka. Application.java reads this file. */
export const APPLICATIONS_FILE = `${SIDECAR_DIR}/applications.json`;

/** The file of earlier versions, with one line per application instead of JSON. */
export const FORMER_APPLICATIONS_FILE = `${SIDECAR_DIR}/applications`;

interface DeclaredApplications {
  readonly applications: readonly {
    readonly name: string;
    readonly acls: readonly Acl[];
    readonly quotas: KafkaQuotas;
    readonly authentication: NonNullable<Application["authentication"]>;
  }[];
  /** Principals that may describe all topics and consumer groups but read no records. They authenticate with a certificate. */
  readonly monitors: readonly string[];
}

export function renderApplications(
  applications: readonly Application[],
  monitors: readonly string[] = [],
): string {
  const permissions = applications.map((application) => {
    const quotas = Object.entries(quotasOf(application));
    return {
      name: application.name,
      acls: aclsOf(application),
      // Texts, since Application.java reads only small numbers.
      ...(quotas.length > 0 && {
        quotas: Object.fromEntries(quotas.map(([key, value]) => [key, String(value)])),
      }),
      ...(hasCertificate(application) && { authentication: "certificate" }),
    };
  });
  return `{"applications": ${renderJsonList(permissions)}, "monitors": ${JSON.stringify(monitors)}}\n`;
}

/** Parses the file, including the declarations and the lines of earlier versions. */
export function parseApplications(text: string): DeclaredApplications {
  const { applications, monitors }: FormerApplications = text.startsWith("{")
    ? JSON.parse(text)
    : parseLines(text);
  return {
    applications: applications.map((application) => ({
      name: application.name,
      acls: application.acls ?? aclsOf({ ...application, quotas: undefined }),
      quotas: Object.fromEntries(
        Object.entries(application.quotas ?? {}).map(([key, value]) => [key, Number(value)]),
      ),
      authentication: application.authentication ?? "password",
    })),
    monitors,
  };
}

interface FormerApplications {
  readonly applications: readonly (Omit<Application, "quotas"> & {
    readonly acls?: readonly Acl[];
    readonly quotas?: Readonly<Record<string, string>>;
  })[];
  readonly monitors: readonly string[];
}

/** Parses `orders topic:<access>:<pattern> group:<pattern>` or `alloy monitor`. */
function parseLines(text: string): FormerApplications {
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

/** Describes which permissions applications gain and lose, and how they authenticate. Monitors are not applications. */
export function describeApplications(before?: string, after?: string): FileChange {
  const [old, now] = [permissionsIn(before), permissionsIn(after)];
  const [oldQuotas, quotas] = [quotasIn(before), quotasIn(after)];
  const [oldAuthentication, authentication] = [authenticationIn(before), authenticationIn(after)];
  return together(
    [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => [
      describePermissions(name, "Kafka", old.get(name), now.get(name)),
      facts(...(now.has(name) ? describeQuotas(name, oldQuotas.get(name), quotas.get(name)) : [])),
      describeAuthentication(name, oldAuthentication.get(name), authentication.get(name)),
    ]),
  );
}

/** Clients that authenticate in the former way are refused, in both clusters. Those with a certificate, only once it has expired. */
function describeAuthentication(
  name: string,
  before?: Application["authentication"],
  after?: Application["authentication"],
): FileChange {
  if (after === undefined || after === (before ?? "password")) {
    return facts();
  }
  if (before === undefined) {
    return facts(`application ${name}: authenticates with a certificate`);
  }
  return {
    ...facts(`application ${name}: authentication ${before} -> ${after}`),
    destructive:
      after === "certificate"
        ? [
            `application ${name} authenticates with a certificate: the deploy deletes its password in Kafka and OpenSearch, and clients that use it are refused`,
          ]
        : [],
  };
}

function describeQuotas(name: string, before: KafkaQuotas = {}, after: KafkaQuotas = {}): string[] {
  return QUOTA_KEYS.filter((key) => before[key] !== after[key]).map(
    (key) =>
      `application ${name}: quota ${key} ${before[key] ?? "unset"} -> ${after[key] ?? "unset"}`,
  );
}

function quotasIn(text?: string): Map<string, KafkaQuotas> {
  const { applications } = text === undefined ? { applications: [] } : parseApplications(text);
  return new Map(applications.map(({ name, quotas }) => [name, quotas]));
}

function authenticationIn(text?: string): Map<string, Application["authentication"]> {
  const { applications } = text === undefined ? { applications: [] } : parseApplications(text);
  return new Map(applications.map(({ name, authentication }) => [name, authentication]));
}

function permissionsIn(text?: string): Map<string, string[]> {
  const { applications } = text === undefined ? { applications: [] } : parseApplications(text);
  return new Map(applications.map(({ name, acls }) => [name, acls.flatMap(permissionsOf)]));
}

/** Returns the permissions that reviewers read. The other operations only describe resources. */
function permissionsOf({ resource, name, operations }: Acl): string[] {
  const has = (operation: Acl["operations"][number]) => operations.includes(operation);
  switch (resource) {
    case "topic":
      return (["READ", "WRITE", "CREATE", "DELETE"] as const)
        .filter(has)
        .map((operation) => `${operation.toLowerCase()} on topic ${name}`);
    case "group":
      return [
        ...(has("READ") ? [`consumer group ${name}`] : []),
        ...(has("DELETE") ? [`delete on consumer group ${name}`] : []),
      ];
    case "transactional_id":
      return [`transactional id ${name}`];
  }
}
