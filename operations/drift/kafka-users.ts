import type { Application } from "../../constructs";
import { aclsOf, describeAcls } from "../../constructs/kafka/acls";
import { type KafkaQuotas, QUOTA_KEYS, quotasOf } from "../../constructs/kafka/quotas";
import { MONITOR } from "../../constructs/security/principals";
import type { Kafka } from "../platform/kafka";
import { CommandError } from "../terminal/terminal";
import type { Difference } from "./difference";

/** The ACL by which `kafka-init` recognizes the users that it made. */
const MARK = "DESCRIBE on group groundwork.application";

/** Compares the users and ACLs of applications with Kafka. Throws if Kafka does not answer. */
export async function findKafkaUserDrift(
  kafka: Pick<Kafka, "describeUsers" | "listAcls">,
  applications: readonly Application[],
): Promise<Difference[]> {
  const users = await kafka.describeUsers();
  const acls = await kafka.listAcls();
  const failed = [users, acls].find(({ exitCode }) => exitCode !== 0);
  if (failed) {
    throw new CommandError(`Kafka does not list its users and ACLs: ${failed.output}`);
  }
  const withPassword = [
    ...users.output.matchAll(/user-principal '([^']+)' are .*SCRAM-SHA-512=/g),
  ].map(([, name]) => name);
  const live = aclsIn(acls.output);
  const declared = new Map([
    ...applications.map(
      (application) => [application.name, [...describeAcls(aclsOf(application)), MARK]] as const,
    ),
    [MONITOR, ["DESCRIBE on topic *", "DESCRIBE on group *", MARK]] as const,
  ]);
  return [
    ...applications
      .filter(({ name }) => !withPassword.includes(name))
      .map(({ name }) => ({
        resource: resourceOf(name),
        field: "Kafka user",
        declared: "present",
        actual: "absent",
      })),
    ...[...declared].flatMap(([name, permissions]) => {
      const found = live.get(name) ?? [];
      return [
        ...permissions
          .filter((permission) => !found.includes(permission))
          .map((permission) => acl(name, permission, "granted", "not granted")),
        ...found
          .filter((permission) => !permissions.includes(permission))
          .map((permission) => acl(name, permission, "not granted", "granted")),
      ];
    }),
    ...applications.flatMap((application) =>
      quotaDrift(application, quotasIn(users.output).get(application.name)),
    ),
    ...[...live]
      .filter(([name, permissions]) => permissions.includes(MARK) && !declared.has(name))
      .map(([name]) => ({
        resource: resourceOf(name),
        actual: "is not declared any more: npm run up removes its user and ACLs from Kafka",
      })),
  ];
}

const resourceOf = (name: string) => `application/${name}`;

function acl(name: string, permission: string, declared: string, actual: string): Difference {
  return { resource: resourceOf(name), field: `Kafka ACL ${permission}`, declared, actual };
}

function quotaDrift(application: Application, live: KafkaQuotas = {}): Difference[] {
  const quotas = quotasOf(application);
  return QUOTA_KEYS.filter((key) => quotas[key] !== live[key]).map((key) => ({
    resource: resourceOf(application.name),
    field: `Kafka quota ${key}`,
    declared: String(quotas[key] ?? "unset"),
    actual: String(live[key] ?? "unset"),
  }));
}

/** Parses the quotas of each user in the output of `kafka-configs.sh`. The default of all users is in a line of its own. */
function quotasIn(output: string): Map<string, KafkaQuotas> {
  return new Map(
    [...output.matchAll(/^Quota configs for user-principal '([^']+)' are (.*)$/gm)].map(
      ([, name, configs]) => [
        name,
        Object.fromEntries(
          configs.split(", ").map((config) => {
            const [key, value] = config.split("=");
            return [key, Number(value)];
          }),
        ),
      ],
    ),
  );
}

/** Parses the output of `kafka-acls.sh --list`: the permissions of each user, such as `READ on topic orders`. */
function aclsIn(output: string): Map<string, string[]> {
  const permissions = new Map<string, string[]>();
  let on = "";
  for (const line of output.split("\n")) {
    const [, type, resource, pattern] =
      /ResourcePattern\(resourceType=(\w+), name=(.*), patternType=(\w+)\)/.exec(line) ?? [];
    if (type !== undefined) {
      const words = type.toLowerCase().replaceAll("_", " ");
      on = `${words} ${resource}${pattern === "PREFIXED" ? "*" : ""}`;
    }
    const [, user, host, operation, permission] =
      /\(principal=User:(.*), host=(.*), operation=(\w+), permissionType=(\w+)\)/.exec(line) ?? [];
    if (user !== undefined) {
      const from = host === "*" ? "" : ` from ${host}`;
      const entry = `${permission === "DENY" ? "DENY " : ""}${operation} on ${on}${from}`;
      permissions.set(user, [...(permissions.get(user) ?? []), entry]);
    }
  }
  return permissions;
}
