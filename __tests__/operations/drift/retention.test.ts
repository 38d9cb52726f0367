import { RetentionPolicy } from "../../../constructs";
import { describeDifference } from "../../../operations/drift/difference";
import { findRetentionDrift } from "../../../operations/drift/retention";
import type { OpenSearchResources } from "../../../operations/platform/open-search-resources";
import { FakeIndexManagement } from "../../support/fake-index-management";
import { FakeOpenSearch, resourcesAt } from "../../support/fake-opensearch";
import { runOsInit } from "../../support/os-init";
import { exitLine } from "../../support/sidecar";

let server: FakeOpenSearch;
let ism: FakeIndexManagement;
let address: string;
let resources: OpenSearchResources;

beforeEach(async () => {
  server = new FakeOpenSearch();
  ism = new FakeIndexManagement();
  server.indexManagement = ism;
  address = await server.start();
  resources = resourcesAt(address);
});
afterEach(() => server.stop());

const logs = (days: number, props = {}) =>
  RetentionPolicy.fromRetention(
    { "logs-*": { rollover: { sizeGiB: 10 }, delete: { days } } },
    props,
  );

const told = async (policies: readonly RetentionPolicy[]) =>
  (await findRetentionDrift(resources, policies)).map(describeDifference);

test("policies as declared have no drift, and missing ones and edited fields are reported", async () => {
  expect(await told(logs(30))).toEqual(["retention policy logs: does not exist"]);
  ism.put("logs", { ...logs(30)[0].body, description: "Retention of logs-* [fingerprint ab12]" });
  expect(await told(logs(30))).toEqual([]);
  expect(await told(logs(10))).toEqual([
    'retention policy logs: states[0].transitions[0].conditions.min_rollover_age is "30d", declared "10d"',
  ]);
  expect(await told(logs(10, { onDrift: "ignore" }))).toEqual([]);
});

test("a policy that OpenSearch spells in another way has no drift once os-init has applied it, and edits are reported", async () => {
  const shrink = { num_new_shards: 1, max_shard_size: "9GB", "x.y=": [] };
  const body = {
    description: "Shrinks é",
    default_state: "open",
    states: [{ name: "open", actions: [{ shrink }], transitions: [] }],
  };
  const run = await runOsInit(address, { "retention/shrunk": { policy: body } });
  expect(exitLine(run)).toMatchObject({ exit_code: 0, created: 1 });
  const policies = [Object.assign(Object.create(logs(1)[0]), { name: "shrunk", body })];
  expect(await told(policies)).toEqual([]);
  const edited = structuredClone(ism.policies.get("shrunk")?.policy);
  edited.states[0].actions[0].shrink.num_new_shards = 2;
  ism.put("shrunk", edited);
  expect(await told(policies)).toContain(
    "retention policy shrunk: states[0].actions[0].shrink.num_new_shards is 2, declared 1",
  );
});

test("indices for which a declared policy failed are reported with the reason and the remedy", async () => {
  ism.put("logs", logs(30)[0].body);
  const failed = "Missing rollover_alias index setting [index=logs-1]";
  ism.indices.set("logs-1", { policy: "logs", seqNo: 1, failed });
  ism.indices.set("logs-2", { policy: "logs", seqNo: 1 });
  ism.indices.set("theirs", { policy: "theirs", seqNo: 1, failed });
  expect(await told(logs(30))).toEqual([
    "retention policy logs: failed for index logs-1: Missing rollover_alias index setting [index=logs-1]. Fix the cause, then send POST /_plugins/_ism/retry/logs-1 (docs/how-to/retention.md)",
  ]);
});

test("a policy that another one with a higher priority replaces for new indices is reported", async () => {
  ism.put("logs", logs(30)[0].body);
  const theirs = (pattern: string, priority: number) => ({
    ...logs(90)[0].body,
    ism_template: { index_patterns: [pattern], priority },
  });
  ism.put("lower", theirs("*", 1));
  ism.put("app", theirs("logs-app-*", 9));
  expect(await told(logs(30))).toEqual([]);
  ism.put("theirs", theirs("lo*", 50));
  expect(await told(logs(30))).toEqual([
    "retention policy logs: policy theirs with a higher priority is attached to its indices, such as logs-groundwork-probe",
  ]);
});

test("without policies, the index management plugin is not asked", async () => {
  server.indexManagement = undefined;
  expect(await told([])).toEqual([]);
  expect(server.requests).toEqual([]);
  await expect(told(logs(30))).rejects.toThrow(
    /^OpenSearch does not answer \/_plugins\/_ism\/policies\/logs: .*no handler found/s,
  );
});
