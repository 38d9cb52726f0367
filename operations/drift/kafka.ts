import type { Topic } from "../../constructs";
import type { Undeclared } from "../../constructs/init-sidecar/run-log";
import type { KafkaReport, ReportedUser } from "../platform/kafka-inventory";
import { type Difference, missing } from "./difference";

/** The differences of topics, users and ACLs, and the configs that are set and not declared. */
export interface KafkaDrift {
  readonly differences: readonly Difference[];
  readonly undeclared: readonly Undeclared[];
}

/** Returns how Kafka differs from its declaration. Skips topics with `onDrift: "ignore"`. */
export function kafkaDriftIn(
  { topics, users }: KafkaReport,
  declared: readonly Topic[],
): KafkaDrift {
  const ignored = declared.filter(({ onDrift }) => onDrift === "ignore").map(({ name }) => name);
  const compared = topics.filter(({ topic, isDeclared }) => isDeclared && !ignored.includes(topic));
  return {
    differences: [
      ...compared.flatMap(({ topic, exists, differences = [] }) => {
        const resource = `topic ${topic}`;
        return exists
          ? differences.map((difference) => ({ resource, ...difference }))
          : [missing(resource)];
      }),
      ...users.flatMap(differencesOf),
    ],
    undeclared: compared.flatMap(({ topic, undeclared = [] }) =>
      undeclared.map((config) => ({ resource: topic, ...config })),
    ),
  };
}

function differencesOf(reported: ReportedUser): Difference[] {
  const { user, isDeclared, isMarked, hasPassword, needsPassword, missing: absent = [] } = reported;
  const resource = `application/${user}`;
  if (!isDeclared) {
    return isMarked
      ? [
          {
            resource,
            actual: "is not declared any more: npm run up removes its user and ACLs from Kafka",
          },
        ]
      : [];
  }
  const acl = (permission: string, declared: string, actual: string) => ({
    ...{ resource, field: `Kafka ACL ${permission}`, declared, actual },
  });
  return [
    ...(needsPassword && !hasPassword
      ? [{ resource, field: "Kafka user", declared: "present", actual: "absent" }]
      : []),
    ...(!needsPassword && hasPassword
      ? [{ resource, field: "Kafka user", declared: "absent", actual: "present" }]
      : []),
    ...absent.map((permission) => acl(permission, "granted", "not granted")),
    ...(reported.surplus ?? []).map((permission) => acl(permission, "not granted", "granted")),
    ...(reported.quotas ?? []).map(({ field, ...values }) => ({
      ...{ resource, field: `Kafka quota ${field}`, ...values },
    })),
  ];
}
