import { Construct } from "constructs";
import { parse } from "yaml";
import {
  type Application,
  KafkaCluster,
  KafkaInit,
  Network,
  OpenSearchCluster,
  OpenSearchSecurity,
} from "../../../constructs";
import { validateApplications } from "../../../constructs/security/application";
import { labSecured } from "../../../lab/environments";
import { principalsOf } from "../../../secrets/platform-secrets";
import { SECURITY, securedKafka } from "../../support/kafka-cluster";
import { container, envOf, fileOf, synthesize } from "../../support/platform";
import { testStack } from "../../support/stack";

describe("an application", () => {
  const declare = (...applications: Application[]) => securedKafka(applications, SECURITY);

  test.each<[string, Application[], string]>([
    [
      "an invalid name",
      [{ name: "Shop" }],
      'application name "Shop" is invalid: use 1 to 63 lowercase letters, digits and hyphens, starting with a letter (at test/init)',
    ],
    [
      "the name of a service",
      [{ name: "kafka-7" }],
      `application name "kafka-7" is reserved for a service of the platform, whose permissions it would get: choose another name, such as "app-kafka-7" (at test/init)`,
    ],
    [
      "the name of a sidecar",
      [{ name: "os-admin" }],
      `application name "os-admin" is reserved for a service of the platform, whose permissions it would get: choose another name, such as "app-os-admin" (at test/init)`,
    ],
    [
      "a lag that is shorter than the time between two measurements",
      [{ name: "shop", consumerGroups: ["shop"], maxConsumerLagSeconds: 59 }],
      'application "shop" has maxConsumerLagSeconds 59: use a whole number of seconds, at least 60 (at test/init)',
    ],
    [
      "a lag that is no whole number of seconds",
      [{ name: "shop", consumerGroups: ["shop"], maxConsumerLagSeconds: 90.5 }],
      'application "shop" has maxConsumerLagSeconds 90.5: use a whole number of seconds, at least 60 (at test/init)',
    ],
    [
      "a lag without a consumer group",
      [{ name: "shop", maxConsumerLagSeconds: 900 }],
      'application "shop" has maxConsumerLagSeconds and no consumer groups: list them in consumerGroups, or remove maxConsumerLagSeconds (at test/init)',
    ],
    [
      "a duplicate name",
      [{ name: "shop" }, { name: "shop" }],
      'application "shop" is declared twice: rename or remove one (at test/init)',
    ],
    [
      "an undeclared topic",
      [{ name: "shop", topics: { order: "read" } }],
      'application "shop" has the topic "order", but no topic with that name is declared: declare the topic or correct the name; declared topics: orders (at test/init)',
    ],
    [
      "a prefix of no declared topic",
      [{ name: "shop", topics: { "pay*": "read" } }],
      'application "shop" has the topic "pay*", but no topic with that prefix is declared: declare the topic or correct the name; declared topics: orders (at test/init)',
    ],
    [
      "a prefix of the internal topics",
      [{ name: "shop", topics: { "_*": "read" } }],
      `application "shop" has the topic "_*", which includes the internal topic __cluster_metadata: list the topics that it needs (at test/init)`,
    ],
    [
      "a star inside a name",
      [{ name: "shop", topics: { "o*s": "read" } }],
      `application "shop" has the topic "o*s": use a topic name, or a prefix followed by "*" (at test/init)`,
    ],
    [
      "every topic, without everything: true",
      [{ name: "shop", topics: { "*": "read" } }],
      'application "shop" names every topic with "*": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every topic (at test/init)',
    ],
    [
      "every consumer group, without everything: true",
      [{ name: "shop", consumerGroups: ["*"] }],
      'application "shop" names every consumer group with "*": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every consumer group (at test/init)',
    ],
    [
      "every index by several stars, without everything: true",
      [{ name: "shop", indices: { "**": "append" } }],
      'application "shop" names every index with "**": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every index (at test/init)',
    ],
    [
      "an unknown access to an index",
      [{ name: "shop", indices: { "shop-*": "apend" as "append" } }],
      'application "shop": indices.shop-* is "apend": it must be "append", "read", "write", "readwrite" or "manage" (at test/init)',
    ],
    [
      "every index, without everything: true",
      [{ name: "shop", indices: { "*": "read" } }],
      'application "shop" names every index with "*": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every index (at test/init)',
    ],
    [
      "a restriction of writes",
      [{ name: "shop", indices: { "shop-*": { access: "write" as "read", fields: ["a"] } } }],
      'application "shop": indices.shop-*.access is "write": it must be "read" (at test/init)',
    ],
    [
      "an unknown restriction",
      [{ name: "shop", indices: { "shop-*": { access: "read", field: ["a"] } as never } }],
      'application "shop": indices.shop-* has an unknown property "field": did you mean "fields"? allowed: access, documents, fields (at test/init)',
    ],
    [
      "documents of no query",
      [{ name: "shop", indices: { "shop-*": { access: "read", documents: {} } } }],
      'application "shop": indices.shop-* has documents with no query: write one, such as { term: { team: "shop" } }, or combine several with bool (at test/init)',
    ],
    [
      "documents of two queries",
      [
        {
          name: "shop",
          indices: { "shop-*": { access: "read", documents: { term: {}, match: {} } } },
        },
      ],
      'application "shop": indices.shop-* has documents with the queries "term" and "match": write one, such as { term: { team: "shop" } }, or combine several with bool (at test/init)',
    ],
    [
      "documents as the body of a search",
      [
        {
          name: "shop",
          indices: { "shop-*": { access: "read", documents: { query: { term: { a: "b" } } } } },
        },
      ],
      'application "shop": indices.shop-* has documents with the body of a search: write the query itself, without "query" around it, such as { term: { team: "shop" } } (at test/init)',
    ],
    ...["/customer[/", "~/customer.*/", "/", "//"].map((field): [string, Application[], string] => [
      `the regular expression ${field} as a field`,
      [{ name: "shop", indices: { "shop-*": { access: "read", fields: [field] } } }],
      `application "shop": indices.shop-* has the field "${field}", a regular expression: OpenSearch ignores all fields if one is invalid. Write names, or patterns with "*", such as "customer.*" (at test/init)`,
    ]),
    [
      "a field that is excluded as in earlier versions",
      [{ name: "shop", indices: { "shop-*": { access: "read", fields: ["!a"] } } }],
      'application "shop": indices.shop-* has the field "!a": write "~a" to exclude it (at test/init)',
    ],
    [
      "no fields",
      [{ name: "shop", indices: { "shop-*": { access: "read", fields: [] } } }],
      'application "shop": indices.shop-* has no fields, which would allow every field: list at least one, or remove fields (at test/init)',
    ],
    [
      "a field without a name",
      [{ name: "shop", indices: { "shop-*": { access: "read", fields: ["~"] } } }],
      'application "shop": indices.shop-* has the field "~": write the name of a field, or a pattern such as "customer.*" (at test/init)',
    ],
    [
      "fields that it reads and others that it does not",
      [{ name: "shop", indices: { "shop-*": { access: "read", fields: ["a", "~b"] } } }],
      'application "shop": indices.shop-* has fields with and without "~", of which OpenSearch ignores those with it: list either the fields that it reads, or those that it does not (at test/init)',
    ],
    ...(["readwrite", { access: "read", documents: { term: { a: "b" } } }] as const).map(
      (other): [string, Application[], string] => [
        `a restriction that also applies to another index, with ${JSON.stringify(other)}`,
        [
          {
            name: "shop",
            indices: { "logs-*": { access: "read", fields: ["a"] }, "*-sh?p": other },
          },
        ],
        'application "shop": indices.logs-* has documents or fields, and overlaps with indices.*-sh?p, where OpenSearch would restrict reads too and refuse updates: use patterns that do not overlap, or declare a second application',
      ],
    ),
    ...["**", "?*", "*?*"].map((pattern): [string, Application[], string] => [
      `every index with ${pattern}, without everything: true`,
      [{ name: "shop", indices: { [pattern]: "read" } }],
      `application "shop" names every index with "${pattern}": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every index (at test/init)`,
    ]),
    ...(
      [
        [
          "/.*/",
          `regular expressions are not supported: write names, or patterns with "*", such as "logs-*"`,
        ],
        ["logs-a,logs-b", "OpenSearch reads it as one name: write an entry for each name"],
        ["Logs-App", `index names are lowercase: write "logs-app"`],
        ["", `no index has an empty name: write a name, or a pattern such as "logs-*"`],
        ["logs app", `index names contain no " ": use lowercase letters, digits, ".", "_" and "-"`],
        [
          "<logs-{now/d}>",
          `index names contain no "<": use lowercase letters, digits, ".", "_" and "-"`,
        ],
        ["_all", `index names do not start with "_": start with a letter or digit`],
        ["-logs", `index names do not start with "-": start with a letter or digit`],
        ["..", `no index has this name: write a name, or a pattern such as "logs-*"`],
        ["l".repeat(256), "index names have at most 255 bytes: shorten it"],
        [
          // biome-ignore lint/suspicious/noTemplateCurlyInString: OpenSearch's variables are written so.
          "${user.name}-*",
          `OpenSearch replaces "\${...}" with attributes of the user: write the name itself`,
        ],
      ] as const
    ).map(([index, reason]): [string, Application[], string] => [
      `the index ${index}`,
      [{ name: "shop", indices: { [index]: "read" } }],
      `application "shop" has the index "${index}": ${reason} (at test/init)`,
    ]),
    [
      "a consumer group of two words",
      [{ name: "shop", consumerGroups: ["my group"] }],
      'application "shop" has the consumer group "my group": use 1 to 255 printable ASCII characters without whitespace; "*" is allowed only at the end, after a prefix (at test/init)',
    ],
    [
      "a consumer group twice",
      [{ name: "shop", consumerGroups: ["g", "g"] }],
      'application "shop" lists the consumer group "g" twice: remove one (at test/init)',
    ],
    [
      "every transactional id, without everything: true",
      [{ name: "shop", transactionalIds: ["*"] }],
      'application "shop" names every transactional id with "*": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every transactional id (at test/init)',
    ],
    [
      "a transactional id of two words",
      [{ name: "shop", transactionalIds: ["my id"] }],
      'application "shop" has the transactional id "my id": use 1 to 255 printable ASCII characters without whitespace; "*" is allowed only at the end, after a prefix (at test/init)',
    ],
    [
      "a quota of no bytes",
      [{ name: "shop", quotas: { produceBytesPerSecond: 0 } }],
      'application "shop": quotas.produceBytesPerSecond is 0: use a whole number of bytes per second, at least 1 (at test/init)',
    ],
    [
      "a quota of a part of a byte",
      [{ name: "shop", quotas: { consumeBytesPerSecond: 1.5 } }],
      'application "shop": quotas.consumeBytesPerSecond is 1.5: use a whole number of bytes per second, at least 1 (at test/init)',
    ],
    [
      "a quota of no requests",
      [{ name: "shop", quotas: { requestPercent: 0 } }],
      'application "shop": quotas.requestPercent is 0: use a number greater than 0; 100 is one thread of a broker (at test/init)',
    ],
    [
      "an unknown quota",
      [{ name: "shop", quotas: { producedBytesPerSecond: 1 } as never }],
      'application "shop": quotas has an unknown property "producedBytesPerSecond": did you mean "produceBytesPerSecond"? allowed: produceBytesPerSecond, consumeBytesPerSecond, requestPercent (at test/init)',
    ],
    [
      "an application.id that no topic name can start with",
      [{ name: "words", streams: "word*" }],
      'application "words" has streams "word*": use its application.id, 1 to 200 letters, digits, ".", "_" and "-" (at test/init)',
    ],
    [
      "an empty group.id of Kafka Connect",
      [{ name: "etl", connect: "" }],
      'application "etl" has connect "": use its group.id, 1 to 200 letters, digits, ".", "_" and "-" (at test/init)',
    ],
    [
      "the same Kafka Connect cluster as another application",
      [
        { name: "etl", connect: "pipes" },
        { name: "elt", connect: "pipes" },
      ],
      'connect "pipes" is declared by two applications: declare it in one of them (at test/init)',
    ],
    [
      "internal topics of Kafka Streams that include those of another application",
      [
        { name: "words", streams: "word" },
        { name: "counts", streams: "word-count" },
      ],
      'application "words" has streams "word", whose internal topics start with "word-": it could read, write and delete those of application "counts"; choose another application.id (at test/init)',
    ],
    [
      "internal topics of Kafka Streams that include those of Kafka Connect",
      [
        { name: "words", streams: "pipes" },
        { name: "etl", connect: "pipes" },
      ],
      'application "words" has streams "pipes", whose internal topics start with "pipes-": it could read, write and delete the topic pipes-configs of application "etl"; choose another application.id (at test/init)',
    ],
    [
      "transactional ids of Kafka Streams that another application has",
      [
        { name: "words", streams: "word" },
        { name: "pay", transactionalIds: ["word-pay"] },
      ],
      'application "words" has streams "word", whose transactional ids word-* overlap with word-pay of application "pay": each could stop the producers of the other; choose another id (at test/init)',
    ],
    [
      "transactional ids of Kafka Streams among those of another application",
      [
        { name: "pay", transactionalIds: ["wo*"] },
        { name: "words", streams: "word" },
      ],
      'application "words" has streams "word", whose transactional ids word-* overlap with wo* of application "pay": each could stop the producers of the other; choose another id (at test/init)',
    ],
    [
      "transactional ids of Kafka Connect that include those of Kafka Streams",
      [
        { name: "etl", connect: "word" },
        { name: "words", streams: "word-count" },
      ],
      'application "etl" has connect "word", whose transactional ids connect-cluster-word and word-* overlap with word-count-* of application "words": each could stop the producers of the other; choose another id (at test/init)',
    ],
    [
      "transactional ids that are no names, beside Kafka Streams",
      [
        { name: "words", streams: "word" },
        { name: "pay", transactionalIds: [5] as never },
      ],
      'application "pay": transactionalIds[0] is 5: it must be a string (at test/init)',
    ],
  ])("fails with %s", (_, applications, message) => {
    expect(() => declare(...applications)).toThrow(message);
  });

  test("may not have internal topics that include a topic of the catalog, unless that is one", () => {
    const words = [{ name: "words", streams: "infra" }];
    expect(() => validateApplications(words, [{ name: "infra-events" }])).toThrow(
      'application "words" has streams "infra", whose internal topics start with "infra-": it could read, write and delete the topic infra-events; choose another application.id',
    );
    const names = ["infra-counts-changelog", "infra-words-repartition", "infra", "infrastructure"];
    expect(() =>
      validateApplications(
        words,
        names.map((name) => ({ name })),
      ),
    ).not.toThrow();
  });

  test("may not have internal topics of Kafka Connect that are others of the catalog", () => {
    const etl = [{ name: "etl", connect: "orders" }];
    expect(() => validateApplications(etl, [{ name: "orders-status" }])).toThrow(
      'application "etl" has connect "orders", whose internal topic orders-status is declared without cleanup.policy "compact", which Kafka Connect refuses: choose another group.id, or set the config',
    );
    const configs = { "cleanup.policy": "compact" } as const;
    expect(() =>
      validateApplications(etl, [{ name: "orders-status", configs }, { name: "orders-state" }]),
    ).not.toThrow();
  });

  test("may list the same transactional ids as another one, and those of its own Kafka Streams", () => {
    const ids = { transactionalIds: ["word-pay"] };
    expect(() => declare({ name: "pay", ...ids }, { name: "repay", ...ids })).not.toThrow();
    const words = { name: "words", streams: "word" };
    expect(() => declare({ ...words, ...ids })).not.toThrow();
    const all = { name: "ops", transactionalIds: ["*"], everything: true };
    expect(() => declare(words, all)).not.toThrow();
  });

  test("may limit the lag of the consumer groups of Kafka Streams and Kafka Connect", () => {
    expect(() =>
      declare(
        { name: "words", streams: "word-count", maxConsumerLagSeconds: 900 },
        { name: "etl", connect: "pipes", maxConsumerLagSeconds: 900 },
      ),
    ).not.toThrow();
  });

  test("may have names and patterns that OpenSearch matches with indices", () => {
    const indices = Object.fromEntries(
      ["logs-app", "logs-*", "*-app", "logs-????.??", ".kibana*"].map((index) => [index, "read"]),
    ) as Application["indices"];
    expect(() => declare({ name: "shop", indices })).not.toThrow();
  });

  test.each(["/.*/", "Logs-*", ""])("may not have the index %j with everything: true", (index) => {
    expect(() =>
      declare({ name: "audit", indices: { [index]: "read" }, everything: true }),
    ).toThrow(`application "audit" has the index "${index}": `);
  });

  test("may read everything with everything: true", () => {
    const everything: Application = {
      name: "audit",
      topics: { "*": "read", "ord*": "read" },
      consumerGroups: ["*"],
      indices: { "*": "read", "**": "write" },
      everything: true,
    };
    expect(() => declare(everything)).not.toThrow();
  });
});

test("no application takes the name of a principal", () => {
  const scope = new Construct(undefined as never, "");
  for (const name of principalsOf(labSecured).keys()) {
    expect(() => validateApplications([{ name }], undefined, scope)).toThrow(
      `application name "${name}" is reserved for a service of the platform, whose permissions it would get: choose another name, such as "app-${name}"`,
    );
  }
});

describe("no application matches what gives permissions to the platform's own principals", () => {
  const { stacks } = synthesize(labSecured);
  const node = container(stacks, "opensearch-1");
  const env = envOf(node);
  const mappings: Record<string, { users?: string[] }> = parse(
    fileOf(node, "/usr/share/opensearch/config/opensearch-security/roles_mapping.yml"),
  );
  const patterns = [
    env["plugins.security.nodes_dn"],
    env["plugins.security.authcz.admin_dn"].replace(/^CN=/, ""),
    ...Object.values(mappings).flatMap(({ users = [] }) => users),
    ...envOf(container(stacks, "kafka-1")).KAFKA_SUPER_USERS.replaceAll("User:", "").split(";"),
  ].map((pattern) => pattern.replace(/^\/(?:CN=)?(.+)\[1-9\]\[0-9\]\*\/$/, "$1*"));

  test.each(patterns)("%s", (pattern) => {
    for (const part of ["reader", "1", "a-b"]) {
      expect(() => validateApplications([{ name: pattern.replace("*", part) }])).toThrow(
        / is reserved for a service of the platform/,
      );
    }
  });

  test("also where a cluster has another name", () => {
    const stack = testStack();
    const infraNetwork = new Network(stack, "infra", { name: "infra" });
    const projectNetwork = new Network(stack, "project", { name: "project" });
    const secured = { infraNetwork, projectNetwork, security: SECURITY };
    const search = new OpenSearchCluster(stack, "Search", { ...secured, containerName: "search" });
    const applications = [{ name: "search-reader", indices: { "logs-*": "read" as const } }];
    expect(
      () => new OpenSearchSecurity(stack, "Security", { cluster: search, applications }),
    ).toThrow(
      'application name "search-reader" is reserved for a service of the platform, whose permissions it would get: choose another name, such as "app-search-reader" (at test/Security)',
    );
    const events = new KafkaCluster(stack, "Events", { ...secured, containerName: "events" });
    for (const name of ["events", "events-1", "events-init"]) {
      expect(
        () =>
          new KafkaInit(stack, `Init-${name}`, {
            ...{ cluster: events, topics: [], applications: [{ name }] },
          }),
      ).toThrow(`application name "${name}" is reserved for a service of the platform`);
    }
  });
});
