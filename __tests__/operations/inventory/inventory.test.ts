import { catalog } from "../../../catalog";
import { MARK } from "../../../constructs/opensearch/declared-applications";
import { environments } from "../../../environments";
import { labSecured } from "../../../lab/environments";
import { findLeftOver, takeInventory } from "../../../operations/inventory/inventory";
import { RENDERERS } from "../../../operations/inventory/render";
import type { KafkaReport, ReportedTopic } from "../../../operations/platform/kafka-inventory";
import type {
  LiveResource,
  LiveSecurity,
} from "../../../operations/platform/open-search-resources";
import type { Platform } from "../../../operations/platform/platform";
import { CommandError } from "../../../operations/terminal/terminal";

/** As os-init writes it: SHA-256. */
const FINGERPRINT = "ab12".repeat(16);

const topic = (name: string, more: Partial<ReportedTopic> = {}): ReportedTopic => ({
  ...{ topic: name, exists: true, isDeclared: false, isApplied: false, isInternal: false },
  ...{ partitions: 3, replicationFactor: 3, ...more },
});

const KAFKA: KafkaReport = {
  topics: [
    topic("orders", { isDeclared: true, isApplied: true }),
    topic("bills", { isDeclared: true, exists: false, partitions: undefined }),
    topic("old", { isApplied: true, partitions: 1 }),
    topic("theirs"),
    // Declared for some time, to set its configs.
    topic("count-store-changelog", { createdBy: "count", isApplied: true }),
    topic("__consumer_offsets", { isInternal: true }),
    topic("__groundwork_applied", { isInternal: true }),
  ],
  users: [],
};
const META = { _meta: { fingerprint: FINGERPRINT } };
const LIVE: LiveResource[] = [
  { kind: "component-template", name: "base", body: { ...META, template: {} } },
  { kind: "component-template", name: ".plugin", body: { template: {} } },
  {
    ...{ kind: "ingest-pipeline", name: "lower" },
    body: { description: `Lower case [fingerprint ${FINGERPRINT}]`, processors: [{}] },
  },
  { kind: "ingest-pipeline", name: "upper", body: { description: "Upper", processors: [{}, {}] } },
  { kind: "index-template", name: "logs", body: { ...META, index_patterns: ["logs-*"] } },
  { kind: "index-template", name: "old", body: { ...META, index_patterns: ["old-*", "o"] } },
  {
    kind: "index-template",
    name: "theirs",
    body: { index_patterns: ["x"], _meta: { fingerprint: "v1" } },
  },
  {
    ...{ kind: "legacy-template", name: "beats" },
    body: { order: 1, index_patterns: ["beats-*", "b"], settings: {}, mappings: {}, aliases: {} },
  },
  { kind: "legacy-template", name: ".tasks", body: { index_patterns: [".tasks"] } },
  {
    ...{ kind: "retention-policy", name: "logs" },
    body: {
      description: `Logs [fingerprint ${FINGERPRINT}]`,
      ism_template: [{ index_patterns: ["logs-*"] }],
    },
  },
  {
    ...{ kind: "retention-policy", name: "old" },
    body: { description: `[fingerprint ${FINGERPRINT} ${FINGERPRINT}]`, ism_template: null },
  },
  { kind: "data-stream", name: "logs-app", body: { template: "logs", indices: [{}] } },
  { kind: "data-stream", name: "old-app", body: { template: "old", indices: [{}, {}] } },
  { kind: "data-stream", name: "x", body: { template: "theirs", indices: [{}] } },
  { kind: "data-stream", name: "y", body: { template: "theirs", hidden: true, indices: [] } },
];
const SECURITY: LiveSecurity = {
  user: {
    orders: { reserved: true, description: MARK },
    old: { reserved: true, description: MARK },
    theirs: { reserved: false },
    admin: { reserved: true },
  },
  role: {
    "application-orders": { description: MARK },
    "application-old": { description: MARK },
    "application-alloy": { description: MARK },
    groundwork_checks: { reserved: true },
    all_access: { static: true },
  },
  mapping: {
    "application-orders": { description: MARK },
    "application-alloy": { description: MARK },
    theirs: {},
  },
};
const CATALOG = {
  ...catalog,
  ...{ topics: [], ingestPipelines: [] },
  applications: [{ name: "orders", indices: { orders: "write" as const } }],
  componentTemplates: [{ kind: "component-template", name: "base" }],
  indexTemplates: [
    { kind: "index-template", name: "logs" },
    { kind: "index-template", name: "gone" },
  ],
  retentionPolicies: [{ kind: "retention-policy", name: "logs" }],
} as unknown as typeof catalog;

const { security: _, ...plaintext } = environments.laptop;

function platform(
  environment = plaintext as Platform["environment"],
  { kafka = KAFKA, live = LIVE }: { kafka?: KafkaReport | Error; live?: LiveResource[] } = {},
) {
  const report = async () => {
    if (kafka instanceof Error) {
      throw kafka;
    }
    return kafka;
  };
  const resources = { list: async () => live, readSecurity: async () => SECURITY };
  return {
    environment,
    kafka: { inventory: { report } },
    openSearch: { resources },
  } as unknown as Platform;
}

describe("the inventory", () => {
  test("has everything in both clusters, and whose it is", async () => {
    const inventory = await takeInventory(platform(), CATALOG);
    expect(RENDERERS.terminal(inventory).split("\n")).toEqual([
      "cluster     resource                     state      details",
      "Kafka       topic bills                  declared   does not exist: npm run up creates it",
      "Kafka       topic count-store-changelog  declared   3 partitions, replication factor 3, created by application count",
      "Kafka       topic orders                 declared   3 partitions, replication factor 3",
      "Kafka       topic old                    left over  1 partition, replication factor 3",
      "Kafka       topic theirs                 unmanaged  3 partitions, replication factor 3",
      "OpenSearch  component template base      declared",
      "OpenSearch  data stream logs-app         declared   1 index, index template logs",
      "OpenSearch  index template gone          declared   does not exist: npm run up creates it",
      "OpenSearch  index template logs          declared   for logs-*",
      "OpenSearch  retention policy logs        declared   for logs-*",
      "OpenSearch  data stream old-app          left over  2 indices, index template old",
      "OpenSearch  index template old           left over  for old-*, o",
      "OpenSearch  ingest pipeline lower        left over  1 processor",
      "OpenSearch  retention policy old         left over  for no new indices",
      "OpenSearch  data stream x                unmanaged  1 index, index template theirs",
      "OpenSearch  index template theirs        unmanaged  for x",
      "OpenSearch  ingest pipeline upper        unmanaged  2 processors",
      "OpenSearch  legacy template beats        unmanaged  for beats-*, b",
      "",
      "left over: 5 resources that Groundwork applied and that are no longer declared",
      "",
      "resource               details                            remove it with",
      "topic old              1 partition, replication factor 3  npm run inventory -- --remove topic/old",
      "data stream old-app    2 indices, index template old      npm run inventory -- --remove data-stream/old-app",
      "index template old     for old-*, o                       npm run inventory -- --remove index-template/old",
      "ingest pipeline lower  1 processor                        npm run inventory -- --remove ingest-pipeline/lower",
      "retention policy old   for no new indices                 npm run inventory -- --remove retention-policy/old",
      "",
      'environment "laptop": 8 declared, 5 left over and 5 unmanaged. Not listed: 5 resources of Kafka and OpenSearch themselves',
    ]);
  });

  test("has users, roles and ACLs of a secured environment", async () => {
    const mark = "Describe on group groundwork.application";
    const withCertificate = ["alloy", "shop"];
    const user = (name: string, isDeclared: boolean, isMarked: boolean) => ({
      ...{ user: name, isDeclared, isMarked, hasPassword: !withCertificate.includes(name) },
      ...(isDeclared && { needsPassword: !withCertificate.includes(name) }),
      acls: isMarked ? [mark] : [],
    });
    const users = [
      ...[user("alloy", true, true), user("orders", true, true), user("old", false, true)],
      ...[user("shop", true, true), user("theirs", false, false)],
    ];
    const inventory = await takeInventory(
      platform(labSecured, { kafka: { topics: [], users }, live: [] }),
      { ...CATALOG, componentTemplates: [], indexTemplates: [] },
    );
    expect(RENDERERS.terminal(inventory).split("\n").slice(1, 19)).toEqual([
      "Kafka       user alloy              declared   certificate, 1 ACL",
      "Kafka       user orders             declared   password, 1 ACL",
      "Kafka       user shop               declared   certificate, 1 ACL",
      "Kafka       user old                left over  password, 1 ACL",
      "Kafka       user theirs             unmanaged  password, 0 ACLs",
      "OpenSearch  role groundwork_checks  declared   of the platform itself",
      "OpenSearch  user alloy              declared   role and role mapping",
      "OpenSearch  user orders             declared   user, role and role mapping",
      "OpenSearch  user old                left over  user and role",
      "OpenSearch  role mapping theirs     unmanaged",
      "OpenSearch  user theirs             unmanaged",
      "",
      "left over: 2 resources that Groundwork applied and that are no longer declared",
      "",
      "resource  details          remove it with",
      "user old  password, 1 ACL  npm run up",
      "user old  user and role    npm run up",
      "",
    ]);
    expect(inventory.items.find(({ name }) => name === "orders")?.acls).toEqual([mark]);
  });

  test("has os-backup as declared in an environment with backups, and as left over in one without", async () => {
    const backup = { every: "1d", keep: 14, repository: { kind: "volume" } } as const;
    const stateIn = async (environment: Platform["environment"]) => {
      const asked = platform(environment, { kafka: { topics: [], users: [] }, live: [] });
      asked.openSearch.resources.readSecurity = async () => ({
        ...{ user: {}, mapping: {} },
        role: { "application-os-backup": { description: MARK } },
      });
      const { items } = await takeInventory(asked, CATALOG);
      return items.find(({ name }) => name === "os-backup")?.state;
    };
    expect(await stateIn({ ...labSecured, backup })).toBe("declared");
    expect(await stateIn(labSecured)).toBe("left-over");
  });

  test("as JSON counts and lists all, with the command that removes each", async () => {
    const { counts, items, failures } = JSON.parse(
      RENDERERS.json(await takeInventory(platform(), CATALOG)),
    );
    expect(counts).toEqual({ declared: 8, "left-over": 5, unmanaged: 5, system: 5 });
    expect(failures).toEqual([]);
    expect(items).toHaveLength(23);
    expect(items).toContainEqual({
      ...{ cluster: "Kafka", kind: "topic", name: "old", state: "left-over", exists: true },
      details: "1 partition, replication factor 3",
      removal: "npm run inventory -- --remove topic/old",
    });
  });

  test("says what is not known if a service does not answer", async () => {
    const kafka = new CommandError("Kafka is silent");
    const inventory = await takeInventory(platform(undefined, { kafka, live: [] }), CATALOG);
    expect(inventory.failures).toEqual(["Kafka is silent"]);
    expect(RENDERERS.terminal(inventory)).toContain("\nnot known\n\nKafka is silent\n");
  });
});

test("what stays after a deploy is what Groundwork applied and nobody declares, without what the deploy removes", async () => {
  const users = [
    { ...{ user: "old", isDeclared: false, isMarked: true, hasPassword: true }, acls: [] },
  ];
  const found = await findLeftOver(platform(undefined, { kafka: { ...KAFKA, users } }), CATALOG);
  expect(found.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
    ...["topic/old", "ingest-pipeline/lower", "index-template/old", "retention-policy/old"],
    "data-stream/old-app",
  ]);
});
