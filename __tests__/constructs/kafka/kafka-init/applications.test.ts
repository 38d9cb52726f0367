import { pbkdf2Sync } from "node:crypto";
import { type Application, resolveTopic } from "../../../../constructs";
import { renderApplications } from "../../../../constructs/kafka/declared-applications";
import { renderTopics } from "../../../../constructs/kafka/declared-topics";
import type { FakeKafka, KafkaFault, LiveUser } from "../../../support/fake-kafka";
import { AS_DECLARED, harness, run, TOPICS } from "../../../support/kafka-init";
import { exitLine, linesOf, type SidecarRun } from "../../../support/sidecar";

describe("in a secured cluster, kafka-init", () => {
  const ORDERS: Application = {
    name: "orders",
    topics: { "infra-events": "write", "app.*": "read" },
    consumerGroups: ["orders-*"],
  };
  const mark = (name: string) => `User:${name} ALLOW DESCRIBE GROUP LITERAL groundwork.application`;
  const ORDERS_ACLS = [
    mark("orders"),
    "User:orders ALLOW DESCRIBE TOPIC LITERAL infra-events",
    "User:orders ALLOW DESCRIBE TOPIC PREFIXED app.",
    "User:orders ALLOW READ GROUP PREFIXED orders-",
    "User:orders ALLOW READ TOPIC PREFIXED app.",
    "User:orders ALLOW WRITE TOPIC LITERAL infra-events",
  ];
  const LEFT_BEHIND = [
    mark("billing"),
    "User:billing ALLOW READ TOPIC LITERAL *",
    "User:billing DENY WRITE TOPIC LITERAL payments",
  ];
  const OTHERS = ["User:admin ALLOW ALTER CLUSTER LITERAL kafka-cluster"];

  interface SecuredOptions {
    readonly applications?: readonly Application[];
    readonly monitors?: readonly string[];
    /** Contents of the files by application. */
    readonly passwords?: Readonly<Record<string, string>>;
    readonly env?: Record<string, string>;
  }

  const runSecured = (cluster: FakeKafka, options: SecuredOptions = {}) => {
    const { applications = [ORDERS], monitors, passwords = { orders: "secret\n" }, env } = options;
    return run(cluster, {
      files: [
        {
          path: "topics.json",
          content: renderTopics(TOPICS.map((topic) => resolveTopic(topic, 3))),
        },
        { path: "applications.json", content: renderApplications(applications, monitors) },
        ...Object.entries(passwords).map(([path, content]) => ({ path, content })),
      ],
      env: (directory) => ({
        APPLICATIONS_FILE: `${directory}/applications.json`,
        PASSWORDS_DIR: directory,
        ...env,
      }),
    });
  };

  /** A cluster with the declared topics, and with what kafka-init made of the application in an earlier run. */
  const provisioned = async (acls: readonly string[] = ORDERS_ACLS, ...faults: KafkaFault[]) => {
    const cluster = await harness.cluster(AS_DECLARED, ...faults);
    await cluster.addAcls(...acls);
    await cluster.addUser("orders");
    return cluster;
  };

  const hasPassword = ({ salt, iterations, saltedPassword }: LiveUser, password: string) =>
    pbkdf2Sync(password, Buffer.from(salt, "base64"), iterations, 64, "sha512").toString(
      "base64",
    ) === saltedPassword;

  const changes = (result: SidecarRun, event: "granted" | "revoked") =>
    linesOf(result, event).map(
      ({ resource, rights, reason }) => `${resource}: ${rights}; ${reason}`,
    );

  test.concurrent("creates the user of an application with its ACLs and no others, and creates the mark first", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1, unchanged: 2, revoked: 0 });
    expect(changes(result, "granted")).toEqual([
      "application/orders: Read on group orders-*; Describe, Read on topic app.*; Describe, Write on topic infra-events; declared",
    ]);
    const { acls, users, writes } = await cluster.look();
    expect(acls).toEqual([...ORDERS_ACLS].sort());
    expect(Object.keys(users)).toEqual(["orders"]);
    // SCRAM-SHA-512
    expect(users.orders).toMatchObject({ mechanism: 2, iterations: 8192 });
    expect(hasPassword(users.orders, "secret")).toBe(true);
    expect(writes.map((call) => call.split(" ")[0])).toEqual([
      ...["CreateAcls", "AlterUserScramCredentials", "CreateAcls"],
    ]);
    expect(writes[0]).toBe(`CreateAcls ${mark("orders")}`);
    expect(JSON.stringify(result.log)).not.toContain("secret");
  });

  test.concurrent("grants what a transactional producer, Kafka Streams and Kafka Connect need, and revokes it", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    const applications: Application[] = [
      { name: "payments", transactionalIds: ["payments", "refunds-*"] },
      { name: "words", streams: "word-count" },
      { name: "etl", connect: "pipes" },
    ];
    const passwords = { payments: "one", words: "two", etl: "three" };
    const result = await runSecured(cluster, { applications, passwords });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 3 });
    expect(changes(result, "granted")).toEqual([
      "application/payments: Describe, Write on transactional id payments; Describe, Write on transactional id refunds-*; declared",
      "application/words: Delete, Read on group word-count; Create, Delete, Describe, DescribeConfigs, Read, Write on topic word-count-*; Describe, Write on transactional id word-count-*; declared",
      "application/etl: Delete, Read on group connect-*; Read on group pipes; Create, Describe, DescribeConfigs, Read, Write on topic pipes-configs; Create, Describe, DescribeConfigs, Read, Write on topic pipes-offsets; Create, Describe, DescribeConfigs, Read, Write on topic pipes-status; Describe, Write on transactional id connect-cluster-pipes; Describe, Write on transactional id pipes-*; declared",
    ]);
    const without = await runSecured(cluster, {
      applications: applications.map(({ name }) => ({ name })),
      passwords,
    });
    expect(exitLine(without)).toMatchObject({ exit_code: 0, reconciled: 3, revoked: 3 });
    expect((await cluster.look()).acls).toEqual([mark("etl"), mark("payments"), mark("words")]);
  });

  test.concurrent("sets, changes and removes the quotas of an application, and leaves all others alone", async () => {
    const cluster = await provisioned();
    const others = {
      "user=": { producer_byte_rate: 9 },
      "user=admin": { consumer_byte_rate: 9 },
      "user=orders,client-id=a": { producer_byte_rate: 9 },
    };
    for (const [entity, quotas] of Object.entries(others)) {
      const [[key, value]] = Object.entries(quotas);
      await cluster.setQuota(entity, key, value);
    }
    await cluster.setQuota("user=orders", "controller_mutation_rate", 9);
    const limited = (quotas: Application["quotas"]) =>
      runSecured(cluster, { applications: [{ ...ORDERS, quotas }] });
    const ordersQuotas = async () => {
      const { quotas, writes } = await cluster.look();
      const { "user=orders": own, ...left } = quotas;
      expect(left).toEqual(others);
      return [own, writes.filter((call) => call.startsWith("AlterClientQuotas")).length];
    };
    const set = await limited({ produceBytesPerSecond: 5_000_000_000, requestPercent: 12.5 });
    expect(exitLine(set)).toMatchObject({ exit_code: 0, reconciled: 1, drifted: 0 });
    expect(
      linesOf(set, "change").map(({ resource, field, declared, actual }) => [
        ...[resource, field, declared, actual],
      ]),
    ).toEqual([
      ["application/orders", "quota producer_byte_rate", "5000000000", "unset"],
      ["application/orders", "quota request_percentage", "12.5", "unset"],
    ]);
    const kept = { controller_mutation_rate: 9 };
    expect(await ordersQuotas()).toEqual([
      { ...kept, producer_byte_rate: 5_000_000_000, request_percentage: 12.5 },
      1,
    ]);
    const again = await limited({ produceBytesPerSecond: 5_000_000_000, requestPercent: 12.5 });
    expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: 3, reconciled: 0 });
    expect((await ordersQuotas())[1]).toBe(1);
    await limited({ consumeBytesPerSecond: 7 });
    expect(await ordersQuotas()).toEqual([{ ...kept, consumer_byte_rate: 7 }, 2]);
    const removed = await runSecured(cluster, { applications: [], passwords: {} });
    expect(exitLine(removed)).toMatchObject({ exit_code: 0, revoked: 1 });
    expect(await ordersQuotas()).toEqual([kept, 3]);
  });

  test.concurrent("finds an application unchanged, but sets its password, since Kafka does not return passwords", async () => {
    const cluster = await provisioned();
    const result = await runSecured(cluster, { passwords: { orders: "rotated\n" } });
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 0, created: 0, unchanged: 3, reconciled: 0, revoked: 0 },
    });
    const { users, writes } = await cluster.look();
    expect(writes).toEqual(["AlterUserScramCredentials orders"]);
    expect(hasPassword(users.orders, "rotated")).toBe(true);
  });

  test.concurrent("grants and revokes the permissions that an application gained and lost", async () => {
    const cluster = await provisioned([
      ...ORDERS_ACLS.filter((acl) => !acl.includes("READ GROUP")),
      "User:orders ALLOW READ TOPIC LITERAL payments",
    ]);
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1, revoked: 1 });
    expect(changes(result, "granted")).toEqual([
      "application/orders: Read on group orders-*; declared",
    ]);
    expect(changes(result, "revoked")).toEqual([
      "application/orders: Read on topic payments; no longer declared",
    ]);
    expect((await cluster.look()).acls).toEqual([...ORDERS_ACLS].sort());
  });

  test.concurrent("revokes an application that is no longer declared, its mark last, and nothing unmanaged", async () => {
    const cluster = await provisioned([...ORDERS_ACLS, ...LEFT_BEHIND, ...OTHERS]);
    await cluster.addUser("billing");
    await cluster.addUser("admin");
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 3, revoked: 1 });
    expect(changes(result, "revoked")).toEqual([
      "application/billing: Read on topic *; Deny Write on topic payments; the application is no longer declared",
    ]);
    const { acls, users, writes } = await cluster.look();
    expect(acls).toEqual([...OTHERS, ...ORDERS_ACLS].sort());
    expect(Object.keys(users)).toEqual(["admin", "orders"]);
    expect(writes).toEqual([
      `DeleteAcls ${LEFT_BEHIND[1]} ${LEFT_BEHIND[2]}`,
      "AlterUserScramCredentials -billing orders",
      `DeleteAcls ${mark("billing")}`,
    ]);
  });

  test.concurrent("lets a monitor describe every topic and group with its certificate alone, and changes nothing when it runs again", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    const declared = { applications: [], passwords: {}, monitors: ["alloy"] };
    const result = await runSecured(cluster, declared);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1 });
    expect(changes(result, "granted")).toEqual([
      "application/alloy: Describe on group *; Describe on topic *; declared",
    ]);
    const { acls, users, writes } = await cluster.look();
    expect(acls).toEqual(
      [
        mark("alloy"),
        "User:alloy ALLOW DESCRIBE GROUP LITERAL *",
        "User:alloy ALLOW DESCRIBE TOPIC LITERAL *",
      ].sort(),
    );
    expect(users).toEqual({});
    const again = await runSecured(cluster, declared);
    expect(exitLine(again)).toMatchObject({ exit_code: 0, created: 0, unchanged: 3 });
    expect((await cluster.look()).writes).toEqual(writes);
  });

  test.concurrent("gives an application with a certificate its ACLs and no user, and changes nothing when it runs again", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    const declared: SecuredOptions = {
      applications: [{ ...ORDERS, authentication: "certificate" }],
      passwords: {},
    };
    expect(exitLine(await runSecured(cluster, declared))).toMatchObject({
      ...{ exit_code: 0, created: 1, unchanged: 2 },
    });
    const { acls, users, writes } = await cluster.look();
    expect([acls, users]).toEqual([[...ORDERS_ACLS].sort(), {}]);
    const again = await runSecured(cluster, declared);
    expect(exitLine(again)).toMatchObject({ exit_code: 0, created: 0, unchanged: 3 });
    expect((await cluster.look()).writes).toEqual(writes);
  });

  test.concurrent("deletes the password of an application that gets a certificate, keeps its ACLs, and creates one again when it has a password again", async () => {
    const cluster = await provisioned();
    await cluster.addUser("admin");
    const result = await runSecured(cluster, {
      applications: [{ ...ORDERS, authentication: "certificate" }],
      passwords: {},
    });
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 0, created: 0, reconciled: 1, unchanged: 2, revoked: 1 },
    });
    expect(changes(result, "revoked")).toEqual([
      "application/orders: its password; it authenticates with a certificate",
    ]);
    const { acls, users, writes } = await cluster.look();
    expect(Object.keys(users)).toEqual(["admin"]);
    expect(acls).toEqual([...ORDERS_ACLS].sort());
    expect(writes).toEqual(["AlterUserScramCredentials -orders"]);

    const back = await runSecured(cluster);
    expect(exitLine(back)).toMatchObject({ exit_code: 0, created: 1, revoked: 0 });
    const after = await cluster.look();
    expect(Object.keys(after.users)).toEqual(["admin", "orders"]);
    expect(hasPassword(after.users.orders, "secret")).toBe(true);
  });

  test.concurrent("leaves an unmanaged user that has the name of an application with a certificate, and exits 73", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    await cluster.addUser("orders");
    const result = await runSecured(cluster, {
      applications: [{ ...ORDERS, authentication: "certificate" }],
      passwords: {},
    });
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
    const { acls, users } = await cluster.look();
    expect([acls, Object.keys(users)]).toEqual([[], ["orders"]]);
  });

  test.concurrent("revokes the last application too", async () => {
    const cluster = await provisioned();
    const result = await runSecured(cluster, { applications: [], passwords: {} });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, revoked: 1 });
    const { acls, users } = await cluster.look();
    expect([acls, users]).toEqual([[], {}]);
  });

  test.concurrent("takes over no unmanaged user: exits 73, and provisions the other applications", async () => {
    const theirs = "User:orders ALLOW ALL TOPIC LITERAL *";
    const cluster = await provisioned([theirs]);
    const { users: before } = await cluster.look();
    const result = await runSecured(cluster, {
      applications: [ORDERS, { name: "audit" }],
      passwords: { orders: "secret", audit: "other" },
    });
    expect(
      linesOf(result, "drift").map(({ resource, field, declared, actual }) => [
        ...[resource, field, declared, actual],
      ]),
    ).toEqual([
      ["application/orders", "user", "managed by kafka-init", "unmanaged"],
      [...["application/orders", "ACLs", "managed by kafka-init"], "unmanaged: All on topic *"],
    ]);
    expect(linesOf(result, "drifted")[0].reason).toBe(
      "the cluster has an unmanaged user or ACLs of this name: remove them, or rename the application",
    );
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 73, created: 1, drifted: 1 },
      reason: "drift from the declaration: application/orders",
    });
    const { acls, users } = await cluster.look();
    expect(users.orders).toEqual(before.orders);
    expect(acls).toEqual([mark("audit"), theirs]);
  });

  test.concurrent.each<[string, string, string]>([
    ["Describe", "DescribeAcls", "CLUSTER_AUTHORIZATION_FAILED"],
    ["Describe", "DescribeUserScramCredentials", "CLUSTER_AUTHORIZATION_FAILED"],
    ["Describe", "DescribeClientQuotas", "CLUSTER_AUTHORIZATION_FAILED"],
    ["Alter", "CreateAcls", "CLUSTER_AUTHORIZATION_FAILED"],
    ["Alter", "AlterUserScramCredentials", "CLUSTER_AUTHORIZATION_FAILED"],
    ["Alter", "DeleteAcls", "CLUSTER_AUTHORIZATION_FAILED"],
  ])("fails immediately with 77 and names %s if it may not %s", async (permission, on, error) => {
    const cluster = await provisioned(LEFT_BEHIND.concat(mark("orders")), { on, error });
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({
      exit_code: 77,
      reason: `not authorized: the sidecar needs ${permission} on the cluster`,
    });
    expect(linesOf(result, "retry")).toEqual([]);
  });

  test.concurrent("retries temporary failures at every step", async () => {
    const error = "UNKNOWN_SERVER_ERROR";
    const steps = [
      ...["DescribeAcls", "DescribeUserScramCredentials", "CreateAcls"],
      ...["AlterUserScramCredentials", "DeleteAcls"],
    ];
    const cluster = await harness.cluster(AS_DECLARED, ...steps.map((on) => ({ on, error })));
    await cluster.addAcls(...LEFT_BEHIND);
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1, revoked: 1 });
    expect(linesOf(result, "retry").map(({ what }) => what)).toEqual([
      ...["describing the applications", "creating ACLs", "deleting ACLs", "setting passwords"],
    ]);
    expect((await cluster.look()).acls).toEqual([...ORDERS_ACLS].sort());
  });

  test.concurrent("revokes permissions even if Kafka rejects a topic, and names the topic", async () => {
    const fault = { on: "CreateTopics", error: "POLICY_VIOLATION", message: "too many" };
    const cluster = await harness.cluster({}, fault);
    await cluster.addAcls(...LEFT_BEHIND);
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 65, revoked: 1 },
      reason: "Kafka rejects topics infra-events, app.logs: too many",
    });
  });

  test.concurrent("fails with 65 if Kafka rejects a password", async () => {
    const error = "UNACCEPTABLE_CREDENTIAL";
    const cluster = await provisioned(ORDERS_ACLS, { on: "AlterUserScramCredentials", error });
    expect(exitLine(await runSecured(cluster))).toMatchObject({
      exit_code: 65,
      reason: expect.stringMatching(/^Kafka rejects application\/orders: /),
    });
  });

  test.concurrent("fails with 78 when the brokers have no authorizer", async () => {
    const fault = { on: "DescribeAcls", error: "SECURITY_DISABLED" };
    const cluster = await harness.cluster(AS_DECLARED, fault);
    expect(exitLine(await runSecured(cluster))).toMatchObject({
      exit_code: 78,
      reason: "the brokers have no authorizer, so they have no ACLs: secure the cluster first",
    });
  });

  test.concurrent.each<[string, Record<string, string>, RegExp]>([
    [
      "does not exist",
      {},
      /^cannot read password file \S+\/orders: java\.nio\.file\.NoSuchFileException/,
    ],
    [
      "is empty",
      { orders: "\n" },
      /^password file \S+\/orders must contain the password in one line, and nothing else$/,
    ],
    [
      "has a second line",
      { orders: "secret\nsecret\n" },
      /^password file \S+\/orders must contain the password in one line, and nothing else$/,
    ],
  ])("exits 78 before the first request if a password file %s", async (_, passwords, reason) => {
    const cluster = await harness.cluster();
    const result = await runSecured(cluster, { passwords });
    expect(exitLine(result)).toMatchObject({
      exit_code: 78,
      reason: expect.stringMatching(reason),
    });
    expect((await cluster.look()).calls).toEqual([]);
  });

  test.concurrent("exits 78 when its client's configuration cannot be read", async () => {
    const cluster = await harness.cluster();
    const env = { KAFKA_CLIENT_CONFIG: "/nowhere" };
    expect(exitLine(await runSecured(cluster, { env }))).toMatchObject({
      exit_code: 78,
      reason:
        'cannot read KAFKA_CLIENT_CONFIG "/nowhere": java.nio.file.NoSuchFileException: /nowhere',
    });
  });
});
