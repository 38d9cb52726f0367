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

async function driftOf(users: readonly string[], acls: readonly string[]) {
  const answer = (lines: readonly string[]) => async () => ({
    exitCode: 0,
    output: lines.join("\n"),
  });
  const differences = await findKafkaUserDrift(
    {
      describeUsers: answer(
        users.map(
          (name) =>
            `SCRAM credential configs for user-principal '${name}' are SCRAM-SHA-512=iterations=8192`,
        ),
      ),
      listAcls: answer(acls),
    },
    [ORDERS],
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

test("a cluster that does not answer is an error", async () => {
  const silent = async () => ({ exitCode: 1, output: "Timed out" });
  await expect(
    findKafkaUserDrift({ describeUsers: silent, listAcls: silent }, [ORDERS]),
  ).rejects.toThrow("Kafka does not list its users and ACLs: Timed out");
});
