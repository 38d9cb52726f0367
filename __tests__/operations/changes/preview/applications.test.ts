import type { Application } from "../../../../constructs";
import { lab } from "../../../../lab/environments";
import type { Synthesis } from "../../../../operations/synthesis/tree";
import type { Catalog } from "../../../../stacks/platform";
import type { Json } from "../../../support/platform";
import { catalog, idOf, infraEvents, report, synthesis } from "../../../support/previews";

describe("for an application in a secured environment", () => {
  const shop = {
    name: "shop",
    topics: { "infra-events": "write" },
    indices: { "logs-shop-*": "readwrite" },
  } as const;
  const withApplications = (...applications: Application[]) =>
    synthesis({ ...lab, security: "tls" }, { ...catalog, applications });
  const told = (...[before, after]: [Application[], Application[]]) => {
    const { changes } = report(withApplications(...before), withApplications(...after));
    const told = changes.flatMap(({ details }) => details);
    return {
      details: told.filter((text) => text.startsWith("application ")),
      destructive: changes.flatMap(({ destructive }) => destructive),
    };
  };

  test("reports an added application with its permissions", () => {
    expect(told([], [{ ...shop, consumerGroups: ["shop"] }])).toEqual({
      details: [
        "application shop: added, read on index logs-shop-*, append on index logs-shop-*, write on index logs-shop-*",
        "application shop: added, write on topic infra-events, consumer group shop",
      ],
      destructive: [],
    });
  });

  test("reports what Kafka Streams, Kafka Connect and transactions get and lose", () => {
    const payments: Application = { name: "shop", transactionalIds: ["payments"] };
    expect(told([payments], [{ name: "shop", streams: "totals", connect: "pipes" }])).toEqual({
      details: [
        ...["read", "write", "create", "delete"].map(
          (operation) => `application shop: gets ${operation} on topic totals-*`,
        ),
        ...["consumer group totals", "delete on consumer group totals"],
        ...["transactional id totals-*"],
        ...["configs", "offsets", "status"].flatMap((topic) =>
          ["read", "write", "create"].map((operation) => `${operation} on topic pipes-${topic}`),
        ),
        ...["consumer group pipes", "consumer group connect-*"],
        ...["delete on consumer group connect-*", "transactional id connect-cluster-pipes"],
        ...["transactional id pipes-*"],
      ]
        .map((text) => text.replace(/^(?!application)/, "application shop: gets "))
        .concat("application shop: loses transactional id payments"),
      destructive: [
        "application shop loses transactional id payments: the deploy revokes it in Kafka",
      ],
    });
  });

  test("reports changed quotas, which revoke nothing", () => {
    const limited = (quotas?: Application["quotas"]): Application => ({ name: "shop", quotas });
    const before = { produceBytesPerSecond: 1000, requestPercent: 50 };
    expect(told([limited(before)], [limited({ produceBytesPerSecond: 2000 })])).toEqual({
      details: [
        "application shop: quota producer_byte_rate 1000 -> 2000",
        "application shop: quota request_percentage 50 -> unset",
      ],
      destructive: [],
    });
    expect(told([], [limited({ consumeBytesPerSecond: 7 })]).details).toEqual([
      "application shop: added, no permissions in Kafka",
      "application shop: quota consumer_byte_rate unset -> 7",
    ]);
    expect(told([limited(before)], []).details).toEqual(["application shop: no longer declared"]);
  });

  test("reports another authentication, and that only its first certificate replaces the brokers", () => {
    const withCertificate = { ...shop, authentication: "certificate" } as const;
    const ledger: Application = { name: "ledger", authentication: "certificate" };
    expect(told([ledger, shop], [ledger, withCertificate])).toEqual({
      details: ["application shop: authentication password -> certificate"],
      destructive: [
        "application shop authenticates with a certificate: the deploy deletes its password in Kafka and OpenSearch, and clients that use it are refused",
      ],
    });
    expect(told([ledger, withCertificate], [ledger, shop])).toEqual({
      details: ["application shop: authentication certificate -> password"],
      destructive: [],
    });
    expect(told([], [withCertificate]).details).toContain(
      "application shop: authenticates with a certificate",
    );
    const replaced = (...catalogs: [Application[], Application[]]) =>
      told(...catalogs).destructive.filter((text) => text.startsWith("container kafka-"));
    expect(replaced([], [ledger])).toHaveLength(3);
    expect(replaced([ledger], [])).toHaveLength(3);
    expect(replaced([ledger], [ledger, withCertificate])).toEqual([]);
    expect(replaced([], [shop])).toEqual([]);
  });

  test("reports a changed limit of consumer lag, of each group", () => {
    const groups = { ...shop, consumerGroups: ["shop", "shop-*", "bills-*"] };
    const [before, after] = [900, 1800].map((maxConsumerLagSeconds) =>
      withApplications({ ...groups, maxConsumerLagSeconds }),
    );
    const { changes } = report(before, after);
    expect(changes.map(({ details }) => details)).toEqual([
      [
        "declared kafka_group_max_lag_seconds shop shop 900 -> 1800",
        'declared kafka_group_max_lag_seconds shop =~"shop\\\\-.*" 900 -> 1800',
        'declared kafka_group_max_lag_seconds shop =~"bills\\\\-.*" 900 -> 1800',
      ],
    ]);
  });

  test("the monitoring principal is no application", () => {
    const { changes } = report(synthesis(lab), withApplications());
    expect(
      changes.flatMap(({ details }) => details).filter((text) => /^application/.test(text)),
    ).toEqual([]);
  });

  test("removing a declaration is destructive", () => {
    expect(told([shop], [])).toEqual({
      details: ["application shop: no longer declared", "application shop: no longer declared"],
      destructive: [
        "application shop is no longer declared: the deploy deletes its user and its permissions in OpenSearch, so it is refused from then on",
        "application shop is no longer declared: the deploy deletes its user and its permissions in Kafka, so it is refused from then on",
      ],
    });
  });

  test("appending instead of writing loses only the updates", () => {
    const writes: Application = { name: "shop", indices: { "logs-shop-*": "write" } };
    expect(told([writes], [{ ...writes, indices: { "logs-shop-*": "append" } }])).toEqual({
      details: ["application shop: loses write on index logs-shop-*"],
      destructive: [
        "application shop loses write on index logs-shop-*: the deploy revokes it in OpenSearch",
      ],
    });
  });

  test("managing instead of reading and writing loses nothing", () => {
    const manages: Application = { ...shop, indices: { "logs-shop-*": "manage" } };
    expect(told([shop], [manages])).toEqual({
      details: [
        "application shop: gets delete on index logs-shop-*",
        "application shop: gets manage on index logs-shop-*",
      ],
      destructive: [],
    });
  });

  test("reading fewer documents and fields is destructive", () => {
    const documents = { term: { team: "shop" } };
    const reads = (permission: NonNullable<Application["indices"]>[string]): Application => ({
      ...{ name: "shop", indices: { "logs-*": permission } },
    });
    const to = (permission: Parameters<typeof reads>[0]) =>
      told([reads("read")], [reads(permission)]).details;
    expect(to({ access: "read", documents, fields: ["a", "b"] })).toEqual([
      'application shop: gets read on index logs-* of documents {"term":{"team":"shop"}} and of fields a, b',
      "application shop: loses read on index logs-*",
    ]);
    expect(to({ access: "read", fields: ["~a"] })).toEqual([
      "application shop: gets read on index logs-* of fields ~a",
      "application shop: loses read on index logs-*",
    ]);
  });

  test("writing no longer includes deleting documents, in a platform that an earlier version deployed", () => {
    const writes = withApplications({ name: "shop", indices: { "logs-shop-*": "write" } });
    const former: Record<string, Json> = JSON.parse(JSON.stringify(Object.fromEntries(writes)));
    const containers = former["lab-data"].resource.docker_container;
    const security = containers[idOf(containers, "os-security")];
    const role = security.upload.find(({ file }: Json) => file.endsWith("/shop.role.json"));
    const body = JSON.parse(role.content);
    const METADATA = body.index_permissions[0].allowed_actions.slice(4);
    body.index_permissions[0].allowed_actions = ["write", "create_index", ...METADATA];
    role.content = JSON.stringify(body);
    const { changes } = report(new Map(Object.entries(former)), writes);
    expect(changes.flatMap(({ destructive }) => destructive)).toEqual([
      "application shop loses delete on index logs-shop-*: the deploy revokes it in OpenSearch",
    ]);
  });

  test("revoking a permission is destructive, granting one is not", () => {
    expect(
      told(
        [shop],
        [{ ...shop, topics: { "infra-events": "readwrite" }, indices: { "logs-shop-*": "read" } }],
      ),
    ).toEqual({
      details: [
        "application shop: loses append on index logs-shop-*",
        "application shop: loses write on index logs-shop-*",
        "application shop: gets read on topic infra-events",
      ],
      destructive: [
        "application shop loses append on index logs-shop-*: the deploy revokes it in OpenSearch",
        "application shop loses write on index logs-shop-*: the deploy revokes it in OpenSearch",
      ],
    });
  });
});

describe("for a platform that was deployed when kafka-init read lines", () => {
  const shop: Application = {
    name: "shop",
    topics: { "infra-events": "readwrite" },
    consumerGroups: ["shop-*"],
  };
  const secured = (declared: Partial<Catalog> = {}) =>
    synthesis({ ...lab, security: "tls" }, { ...catalog, applications: [shop], ...declared });

  /** Synthesizes the catalog and the application like the version before JSON. */
  const deployed = (): Synthesis => {
    const stacks: Record<string, Json> = JSON.parse(JSON.stringify(Object.fromEntries(secured())));
    const { docker_container: containers } = stacks["lab-messaging"].resource;
    const init = containers[idOf(containers, "kafka-init")];
    const replace = (json: string, path: string, content: string) => {
      const upload = init.upload.find(({ file }: Json) => file === json);
      Object.assign(upload, { file: path, content });
      init.env = init.env.map((entry: string) => entry.replace(json, path));
    };
    replace(
      "/groundwork/topics.json",
      "/groundwork/topics",
      "infra-events 3 3 fail min.insync.replicas=2\napplication-logs 6 3 fail min.insync.replicas=2\n",
    );
    replace(
      "/groundwork/applications.json",
      "/groundwork/applications",
      "shop topic:readwrite:infra-events group:shop-*\nalloy monitor\n",
    );
    return new Map(Object.entries(stacks));
  };

  test("a preview reports the changed files, and no unchanged topics and applications", () => {
    const { changes } = report(deployed(), secured());
    expect(
      changes.map(({ subject, details, destructive, warnings }) => ({
        ...{ subject, details, destructive, warnings },
      })),
    ).toEqual([
      {
        subject: "container kafka-init",
        details: [
          "variable TOPICS_FILE /groundwork/topics -> /groundwork/topics.json",
          "variable APPLICATIONS_FILE /groundwork/applications -> /groundwork/applications.json",
        ],
        destructive: [],
        warnings: [],
      },
    ]);
  });

  test("a preview reports changes of topics and applications, including destructive ones", () => {
    const { changes } = report(
      deployed(),
      secured({
        topics: [
          {
            ...infraEvents,
            partitions: 6,
            configs: { "min.insync.replicas": 2, "retention.ms": 1 },
          },
        ],
        applications: [{ name: "shop", topics: { "infra-events": "read" } }],
      }),
    );
    const [init] = changes.filter(({ subject }) => subject === "container kafka-init");
    expect(init.details).toEqual(
      expect.arrayContaining([
        "topic infra-events: partitions 3 -> 6, retention.ms unset -> 1",
        "topic application-logs: no longer declared",
        "application shop: loses write on topic infra-events",
        "application shop: loses consumer group shop-*",
      ]),
    );
    expect(init.destructive).toHaveLength(4);
    expect(init.dataLoss).toEqual([
      "topic infra-events: retention.ms unset (604800000) -> 1: Kafka deletes records older than 1 ms",
    ]);
  });
});
