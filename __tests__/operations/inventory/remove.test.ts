import { catalog } from "../../../catalog";
import { environments } from "../../../environments";
import { removeLeftOver } from "../../../operations/inventory/remove";
import type { ReportedTopic } from "../../../operations/platform/kafka-inventory";
import type { Platform } from "../../../operations/platform/platform";
import { confirm } from "../../../operations/terminal/confirm";
import { CommandError } from "../../../operations/terminal/terminal";
import { FakeIndexManagement } from "../../support/fake-index-management";
import { FakeOpenSearch, resourcesAt } from "../../support/fake-opensearch";

jest.mock("../../../operations/terminal/confirm", () => ({ confirm: jest.fn() }));

/** As os-init writes it: SHA-256. */
const FINGERPRINT = "ab12".repeat(16);

const topic = (name: string, more: Partial<ReportedTopic> = {}): ReportedTopic => ({
  ...{ topic: name, exists: true, isDeclared: false, isApplied: false, isInternal: false },
  ...{ partitions: 3, replicationFactor: 3, ...more },
});
const TOPICS = [
  topic("orders", { isDeclared: true }),
  topic("audit-old", { isApplied: true }),
  topic("theirs"),
  topic("count-store-changelog", { createdBy: "count", isApplied: true }),
  topic("__consumer_offsets", { isInternal: true }),
];
const MARKED = { _meta: { fingerprint: FINGERPRINT } };
const LOWER = { description: `[fingerprint ${FINGERPRINT}]`, processors: [] };
const CATALOG = {
  ...catalog,
  ...{ topics: [], ingestPipelines: [], componentTemplates: [] },
  applications: [
    { name: "auditor", topics: { "audit-*": "read" } },
    { name: "shop", topics: { orders: "write" } },
  ],
  indexTemplates: [{ kind: "index-template", name: "kept" }],
} as unknown as typeof catalog;

let server: FakeOpenSearch;
let platform: Platform;
const removed = jest.fn();
const stillHeld = jest.fn();
const log = jest.spyOn(console, "log").mockImplementation();

beforeEach(async () => {
  jest.clearAllMocks();
  jest.mocked(confirm).mockResolvedValue();
  removed.mockResolvedValue(undefined);
  server = new FakeOpenSearch();
  const address = await server.start();
  const resources = resourcesAt(address);
  const { security: _, ...environment } = environments.laptop;
  const inventory = { report: async () => ({ topics: TOPICS, users: [] }), remove: removed };
  platform = {
    environment,
    kafka: { inventory },
    openSearch: { resources },
  } as unknown as Platform;
});
afterEach(() => server.stop());

const remove = (...ids: string[]) =>
  removeLeftOver(platform, CATALOG, ids, { yes: false, stillHeld });

const said = () => log.mock.calls.flat();

test("a topic is removed with its records, after a confirmation that names what is lost and who may use it", async () => {
  await remove("topic/audit-old");
  expect(confirm).toHaveBeenCalledWith(
    "laptop",
    'This removes 1 resource of environment "laptop":\n- topic audit-old (3 partitions, replication factor 3), with its records; auditor may use it\nThis cannot be undone',
    "no changes made: --remove needs a confirmation, but standard input is not a terminal: add --yes. It would remove:\n- topic audit-old (3 partitions, replication factor 3), with its records; auditor may use it",
  );
  expect(removed.mock.calls).toEqual([[["audit-old"]]]);
  expect(said()).toEqual(["removed topic audit-old"]);
});

test("nothing is removed without the confirmation", async () => {
  jest.mocked(confirm).mockRejectedValue(new CommandError("no"));
  await expect(remove("topic/audit-old")).rejects.toThrow("no");
  expect(removed).not.toHaveBeenCalled();
});

test("nothing is removed if another command took the lock during the confirmation", async () => {
  stillHeld.mockRejectedValueOnce(new CommandError("another command has the lock"));
  await expect(remove("topic/audit-old")).rejects.toThrow("another command has the lock");
  expect(confirm).toHaveBeenCalled();
  expect(removed).not.toHaveBeenCalled();
});

test("--yes skips the confirmation", async () => {
  await removeLeftOver(platform, CATALOG, ["topic/audit-old"], { yes: true, stillHeld });
  expect(confirm).not.toHaveBeenCalled();
  expect(removed).toHaveBeenCalledTimes(1);
});

test.each([
  [
    "orders",
    '"orders" names no resource that can be removed: use data-stream/<name>, index-template/<name>, component-template/<name>, ingest-pipeline/<name>, retention-policy/<name> or topic/<name>',
  ],
  [
    "retention-policy/orders",
    "retention-policy/orders does not exist: npm run inventory lists what there is",
  ],
  ["legacy-template/beats", '"legacy-template/beats" names no resource that can be removed'],
  ["index/orders", '"index/orders" names no resource that can be removed'],
  [
    "user/orders",
    "user/orders: npm run up removes users and roles of applications that are no longer declared",
  ],
  ["topic/gone", "topic/gone does not exist: npm run inventory lists what there is"],
  ["topic/orders", "topic orders is declared: remove it from the catalog and run npm run up first"],
  [
    "topic/count-store-changelog",
    "topic count-store-changelog is in use by application count, which creates it: remove streams or connect of that from the catalog and run npm run up first",
  ],
  ["topic/theirs", "topic theirs is not Groundwork's: remove it with the tool that created it"],
  ["topic/__consumer_offsets", "topic __consumer_offsets is Kafka's own"],
])("%s is refused, and nothing is removed", async (id, message) => {
  await expect(remove("topic/audit-old", id)).rejects.toThrow(`no changes made:\n- ${message}`);
  expect(removed).not.toHaveBeenCalled();
});

describe("a retention policy", () => {
  const policy = (description: string) => ({
    ...{ description, default_state: "open", states: [{ name: "open" }] },
    ism_template: [{ index_patterns: ["old-*"], priority: 1 }],
  });
  let policies: FakeIndexManagement;
  beforeEach(() => {
    policies = new FakeIndexManagement();
    server.indexManagement = policies;
    policies.put("Old", policy(`Old [fingerprint ${FINGERPRINT}]`));
    policies.put("theirs", policy("by hand"));
  });

  test("is removed once it applies to no index", async () => {
    await remove("retention-policy/Old");
    expect([...policies.policies.keys()]).toEqual(["theirs"]);
    expect(said()).toEqual(["removed retention policy Old"]);
  });

  test("is kept while it applies to indices, which are named", async () => {
    policies.indices.set("old-1", { policy: "Old", seqNo: 7 });
    policies.indices.set("old-2", { policy: "Old", seqNo: 7, isCompleted: true });
    policies.indices.set("other", { policy: "theirs", seqNo: 8 });
    await expect(remove("retention-policy/Old")).rejects.toThrow(
      "no changes made:\n- retention policy Old still applies to index old-1, index old-2: remove it from them first, see docs/how-to/retention.md#remove-a-policy",
    );
    expect(policies.policies.has("Old")).toBe(true);
  });

  test("is kept if Groundwork did not apply it", async () => {
    await expect(remove("retention-policy/theirs")).rejects.toThrow(
      "retention policy theirs is not Groundwork's: remove it with the tool that created it",
    );
  });
});

describe("of OpenSearch", () => {
  beforeEach(() => {
    server.components.set("base", { ...MARKED, template: {} });
    server.pipelines.set("lower", LOWER);
    server.pipelines.set("caller", {
      description: "theirs",
      processors: [{ foreach: { processor: { pipeline: { name: "lower" } } } }],
    });
    server.templates.set("old", {
      ...{ ...MARKED, index_patterns: ["old-*"], composed_of: ["base"], data_stream: {} },
      template: { settings: { index: { default_pipeline: "lower" } } },
    });
    server.templates.set("kept", { ...MARKED, index_patterns: ["kept-*"], data_stream: {} });
    server.legacyTemplates.set("beats", {
      ...{ order: 1, index_patterns: ["beats-*"], mappings: {}, aliases: {} },
      settings: { index: { default_pipeline: "lower" } },
    });
    server.streams.set("old-app", {
      template: "old",
      indices: [{ index_name: ".ds-old-app-000001" }],
    });
    server.streams.set("kept-app", { template: "kept", indices: [{}] });
    server.indices.set(".ds-old-app-000001", { "index.default_pipeline": "lower" });
  });

  test.each([
    [
      "component-template/base",
      "component template base is used by index template old: remove that first, or in the same command if it is left over too",
    ],
    ["index-template/old", "index template old is used by data stream old-app: "],
    [
      "ingest-pipeline/lower",
      "ingest pipeline lower is used by ingest pipeline caller, index template old, legacy template beats, index .ds-old-app-000001: ",
    ],
    [
      "data-stream/kept-app",
      "data stream kept-app belongs to a declared template (1 index, index template kept): remove that from the catalog and run npm run up first",
    ],
  ])("%s is refused, with what uses it", async (id, message) => {
    await expect(remove(id)).rejects.toThrow(`no changes made:\n- ${message}`);
    expect(server.writes).toEqual([]);
  });

  test("what uses each other is removed in one command, in an order that OpenSearch accepts", async () => {
    await remove("component-template/base", "index-template/old", "data-stream/old-app");
    expect(server.writes).toEqual([
      "DELETE /_data_stream/old-app",
      "DELETE /_index_template/old",
      "DELETE /_component_template/base",
    ]);
    expect(jest.mocked(confirm).mock.calls[0][1]).toContain(
      "- data stream old-app (1 index, index template old), with its documents\n- index template old (for old-*)\n- component template base\n",
    );
    expect(said()).toEqual([
      ...["removed data stream old-app", "removed index template old"],
      "removed component template base",
    ]);
  });

  test("a pipeline is removed with the data stream whose indices use it", async () => {
    server.pipelines.delete("caller");
    server.legacyTemplates.delete("beats");
    await remove("ingest-pipeline/lower", "index-template/old", "data-stream/old-app");
    expect(server.writes.at(-1)).toBe("DELETE /_ingest/pipeline/lower");
  });

  test("a pipeline that nothing uses is removed", async () => {
    server.pipelines.delete("caller");
    server.legacyTemplates.delete("beats");
    server.templates.delete("old");
    server.indices.clear();
    await remove("ingest-pipeline/lower");
    expect(server.writes).toEqual(["DELETE /_ingest/pipeline/lower"]);
  });

  test("a refusal of OpenSearch is an error with its reason, and what is gone already is none", async () => {
    const refusal = { error: { reason: "in use" } };
    const on = /DELETE .*\/base/;
    server.templates.clear();
    server.faults.push({ on, fault: { kind: "status", status: 400, body: refusal } });
    await expect(remove("component-template/base")).rejects.toThrow(
      "OpenSearch does not remove component template base: in use",
    );
    server.faults.push({ on, fault: { kind: "meanwhile", act: () => server.components.clear() } });
    await remove("component-template/base");
    expect(said()).toEqual(["removed component template base"]);
  });
});
