import type { Application } from "../../../constructs";
import { describeDifference } from "../../../operations/drift/difference";
import { findKafkaUserDrift } from "../../../operations/drift/kafka-users";

const ORDERS: Application = {
  name: "orders",
  topics: { orders: "write", "audit-*": "read" },
  consumerGroups: ["orders"],
  transactionalIds: ["orders-*"],
  streams: "totals",
};

const acl = (pattern: readonly [string, string, string], user: string, ...operations: string[]) =>
  [
    `Current ACLs for resource \`ResourcePattern(resourceType=${pattern[0]}, name=${pattern[1]}, patternType=${pattern[2]})\`: `,
    ...operations.map(
      (operation) =>
        ` \t(principal=User:${user}, host=*, operation=${operation}, permissionType=ALLOW)`,
    ),
  ].join("\n");
const mark = (user: string) =>
  acl(["GROUP", "groundwork.application", "LITERAL"], user, "DESCRIBE");

const MONITORED = [
  acl(["TOPIC", "*", "LITERAL"], "alloy", "DESCRIBE"),
  acl(["GROUP", "*", "LITERAL"], "alloy", "DESCRIBE"),
  mark("alloy"),
];
const GRANTED = [
  ...MONITORED,
  acl(["TOPIC", "orders", "LITERAL"], "orders", "WRITE", "DESCRIBE"),
  acl(["TOPIC", "audit-", "PREFIXED"], "orders", "READ", "DESCRIBE"),
  acl(["GROUP", "orders", "LITERAL"], "orders", "READ"),
  acl(["TRANSACTIONAL_ID", "orders-", "PREFIXED"], "orders", "WRITE", "DESCRIBE"),
  acl(["TRANSACTIONAL_ID", "totals-", "PREFIXED"], "orders", "WRITE", "DESCRIBE"),
  acl(["GROUP", "totals", "LITERAL"], "orders", "READ", "DELETE"),
  acl(
    ...([["TOPIC", "totals-", "PREFIXED"], "orders", "CREATE", "READ", "WRITE"] as const),
    ...["DELETE", "DESCRIBE", "DESCRIBE_CONFIGS"],
  ),
  mark("orders"),
];

async function driftOf(
  users: readonly string[],
  acls: readonly string[],
  quotas: readonly string[] = [],
  applications: readonly Application[] = [ORDERS],
) {
  const answer = (lines: readonly string[]) => async () => ({
    exitCode: 0,
    output: lines.join("\n"),
  });
  const differences = await findKafkaUserDrift(
    {
      describeUsers: answer(
        quotas.concat(
          users.map(
            (name) =>
              `SCRAM credential configs for user-principal '${name}' are SCRAM-SHA-512=iterations=8192`,
          ),
        ),
      ),
      listAcls: answer(acls),
    },
    applications,
  );
  return differences.map(describeDifference);
}

test("users and ACLs as declared have no drift", async () => {
  expect(await driftOf(["orders", "somebody"], GRANTED)).toEqual([]);
});

test("a missing user, missing and surplus ACLs, and an application that is not declared any more are reported", async () => {
  expect(
    await driftOf(
      [],
      [
        ...GRANTED.filter((line) => !/audit-|TRANSACTIONAL_ID, name=orders-/.test(line)),
        acl(["TOPIC", "bills", "LITERAL"], "orders", "ALTER"),
        mark("former"),
      ],
    ),
  ).toEqual([
    "application/orders: Kafka user is absent, declared present",
    "application/orders: Kafka ACL READ on topic audit-* is not granted, declared granted",
    "application/orders: Kafka ACL DESCRIBE on topic audit-* is not granted, declared granted",
    "application/orders: Kafka ACL WRITE on transactional id orders-* is not granted, declared granted",
    "application/orders: Kafka ACL DESCRIBE on transactional id orders-* is not granted, declared granted",
    "application/orders: Kafka ACL ALTER on topic bills is granted, declared not granted",
    "application/former: is not declared any more: npm run up removes its user and ACLs from Kafka",
  ]);
});

test("quotas that are missing, changed or not declared are reported, and no others", async () => {
  const limited = {
    ...ORDERS,
    quotas: { produceBytesPerSecond: 5_000_000_000, consumeBytesPerSecond: 7 },
  };
  const drift = (...quotas: string[]) => driftOf(["orders"], GRANTED, quotas, [limited]);
  expect(
    await drift(
      "Quota configs for the default user-principal are producer_byte_rate=9.9999999E7",
      "Quota configs for user-principal 'orders' are consumer_byte_rate=7.0, producer_byte_rate=5.0E9, controller_mutation_rate=9.0",
      "Quota configs for user-principal 'bills' are consumer_byte_rate=1.0",
    ),
  ).toEqual([]);
  expect(
    await drift(
      "Quota configs for user-principal 'orders' are consumer_byte_rate=8.0, request_percentage=12.5",
    ),
  ).toEqual([
    "application/orders: Kafka quota producer_byte_rate is unset, declared 5000000000",
    "application/orders: Kafka quota consumer_byte_rate is 8, declared 7",
    "application/orders: Kafka quota request_percentage is 12.5, declared unset",
  ]);
});

test("a cluster that does not answer is an error", async () => {
  const silent = async () => ({ exitCode: 1, output: "Timed out" });
  await expect(
    findKafkaUserDrift({ describeUsers: silent, listAcls: silent }, [ORDERS]),
  ).rejects.toThrow("Kafka does not list its users and ACLs: Timed out");
});
