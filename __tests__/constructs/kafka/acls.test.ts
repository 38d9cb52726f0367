import { aclsOf, consumerGroupsOf } from "../../../constructs/kafka/acls";

/** A line for each operation, such as `READ on topic orders-*`. */
const describeAcls = (acls: ReturnType<typeof aclsOf>) =>
  acls.flatMap(({ resource, name, operations }) =>
    operations.map((operation) => `${operation} on ${resource.replaceAll("_", " ")} ${name}`),
  );

test.each([
  ["read", ["READ on topic orders", "DESCRIBE on topic orders"]],
  ["write", ["WRITE on topic orders", "DESCRIBE on topic orders"]],
  ["readwrite", ["READ on topic orders", "WRITE on topic orders", "DESCRIBE on topic orders"]],
] as const)("the access %s to a topic allows no other operations", (access, allowed) => {
  expect(describeAcls(aclsOf({ name: "shop", topics: { orders: access } }))).toEqual(allowed);
});

test("Kafka Streams may do nothing outside its prefix and its group", () => {
  expect(describeAcls(aclsOf({ name: "words", streams: "word-count" }))).toEqual([
    ...["CREATE", "READ", "WRITE", "DESCRIBE", "DESCRIBE_CONFIGS", "DELETE"].map(
      (operation) => `${operation} on topic word-count-*`,
    ),
    ...["READ on group word-count", "DELETE on group word-count"],
    ...["WRITE on transactional id word-count-*", "DESCRIBE on transactional id word-count-*"],
  ]);
});

test("Kafka Connect may delete no topic, and names each of its internal topics", () => {
  const lines = describeAcls(aclsOf({ name: "etl", connect: "pipes" }));
  expect(lines.filter((line) => /^(DELETE|CREATE)/.test(line))).toEqual([
    ...["configs", "offsets", "status"].map((topic) => `CREATE on topic pipes-${topic}`),
    "DELETE on group connect-*",
  ]);
  expect(lines.filter((line) => line.startsWith("READ on group"))).toEqual([
    ...["READ on group pipes", "READ on group connect-*"],
  ]);
  expect(lines.filter((line) => line.startsWith("WRITE on transactional id"))).toEqual([
    "WRITE on transactional id connect-cluster-pipes",
    "WRITE on transactional id pipes-*",
  ]);
});

test("what several properties allow is one entry for a resource, and each operation is there once", () => {
  const application = {
    name: "etl",
    topics: { "pipes-status": "read" },
    consumerGroups: ["pipes", "connect-*"],
    connect: "pipes",
  } as const;
  const lines = describeAcls(aclsOf(application));
  expect(lines).toHaveLength(new Set(lines).size);
  expect(aclsOf(application).filter(({ name }) => name === "pipes-status")).toEqual([
    {
      resource: "topic",
      name: "pipes-status",
      operations: ["READ", "DESCRIBE", "CREATE", "WRITE", "DESCRIBE_CONFIGS"],
    },
  ]);
  expect(consumerGroupsOf(application)).toEqual(["pipes", "connect-*"]);
});
