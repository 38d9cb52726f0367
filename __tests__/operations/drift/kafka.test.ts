import type { Topic } from "../../../constructs";
import { describeDifference } from "../../../operations/drift/difference";
import { kafkaDriftIn } from "../../../operations/drift/kafka";
import type { ReportedTopic, ReportedUser } from "../../../operations/platform/kafka-inventory";

const topic = (name: string, more: Partial<ReportedTopic> = {}): ReportedTopic => ({
  ...{ topic: name, isDeclared: true, isApplied: true, exists: true },
  ...more,
});
const user = (name: string, more: Partial<ReportedUser> = {}): ReportedUser => ({
  ...{ user: name, isDeclared: true, isMarked: true, hasPassword: true, needsPassword: true },
  ...{ acls: [], missing: [], surplus: [], ...more },
});

const driftOf = (
  { topics = [], users = [] }: { topics?: ReportedTopic[]; users?: ReportedUser[] },
  declared: readonly Topic[] = [],
) => {
  const { differences, undeclared } = kafkaDriftIn({ topics, users }, declared);
  return { differences: differences.map(describeDifference), undeclared };
};

test("what is as declared has no drift, nor has what is not declared", () => {
  const same = { differences: [], undeclared: [] };
  expect(
    driftOf({
      topics: [topic("orders", same), topic("theirs", { isDeclared: false, isApplied: false })],
      users: [
        user("orders"),
        user("alloy", { needsPassword: false, hasPassword: false }),
        user("theirs", { isDeclared: false, isMarked: false, acls: ["Read on topic orders"] }),
      ],
    }),
  ).toEqual(same);
});

test("every field of a topic that differs is reported, and a topic that does not exist", () => {
  const differences = [{ field: "partitions", declared: "6", actual: "3", drifted: true }];
  const undeclared = [{ field: "segment.ms", actual: "7" }];
  expect(
    driftOf({
      topics: [topic("orders", { differences, undeclared }), topic("bills", { exists: false })],
    }),
  ).toEqual({
    differences: ["topic orders: partitions is 3, declared 6", "topic bills: does not exist"],
    undeclared: [{ resource: "orders", field: "segment.ms", actual: "7" }],
  });
});

test("topics with onDrift ignore are not compared", () => {
  const undeclared = [{ field: "segment.ms", actual: "7" }];
  expect(
    driftOf({ topics: [topic("orders", { undeclared }), topic("bills", { exists: false })] }, [
      { name: "orders", partitions: 1, onDrift: "ignore" },
      { name: "bills", partitions: 1, onDrift: "ignore" },
    ]),
  ).toEqual({ differences: [], undeclared: [] });
});

test("a password of an application with a certificate is reported, and that it has none is not", () => {
  const withCertificate = { needsPassword: false };
  expect(
    driftOf({
      users: [
        user("orders", { ...withCertificate, hasPassword: true }),
        user("shop", { ...withCertificate, hasPassword: false }),
      ],
    }).differences,
  ).toEqual(["application/orders: Kafka user is present, declared absent"]);
});

test("a missing user, missing and surplus ACLs, changed quotas, and a user that is not declared any more are reported", () => {
  expect(
    driftOf({
      users: [
        user("orders", {
          hasPassword: false,
          missing: ["Read on topic audit-*"],
          surplus: ["Alter on topic bills"],
          quotas: [{ field: "consumer_byte_rate", declared: "7", actual: "unset" }],
        }),
        user("former", { isDeclared: false }),
      ],
    }).differences,
  ).toEqual([
    "application/orders: Kafka user is absent, declared present",
    "application/orders: Kafka ACL Read on topic audit-* is not granted, declared granted",
    "application/orders: Kafka ACL Alter on topic bills is granted, declared not granted",
    "application/orders: Kafka quota consumer_byte_rate is unset, declared 7",
    "application/former: is not declared any more: npm run up removes its user and ACLs from Kafka",
  ]);
});
