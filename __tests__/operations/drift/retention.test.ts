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
  (await findRetentionDrift(resources, await resources.list(), policies)).map(describeDifference);

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
  const aliases = [{ "x.y=": { filter: { term: { level: "error" } } } }];
  const shrink = { num_new_shards: 1, aliases };
  const body = {
    description: "Shrinks é",
    default_state: "open",
    states: [{ name: "open", actions: [{ shrink }], transitions: [] }],
  };
  const run = await runOsInit(address, { "retention/shrunk": { policy: body } });
  expect(exitLine(run)).toMatchObject({ exit_code: 0, created: 1 });
  const policies = [Object.assign(Object.create(logs(1)[0]), { name: "shrunk", body })];
  expect(await told(policies)).toEqual([]);
  const edited = JSON.parse(JSON.stringify(ism.policies.get("shrunk")?.policy));
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

describe("a policy that excludes indices", () => {
  const template = (priority: number, ...index_patterns: string[]) => ({
    ...{ index_patterns, priority },
  });
  const theirs = (...templates: object[]) =>
    ism.put("theirs", { ...logs(90)[0].body, ism_template: templates });
  const declared = (...templates: object[]) => {
    const body = { ...logs(30)[0].body, ism_template: templates };
    ism.put("logs", body);
    return [Object.assign(Object.create(logs(30)[0]), { body })];
  };
  const SHADOWED = (index: string) =>
    `retention policy logs: policy theirs with a higher priority is attached to its indices, such as ${index}`;

  test("replaces no other one for these", async () => {
    const policies = declared(template(5, "logs-*"));
    theirs(template(50, "*", "-logs-*"));
    expect(await told(policies)).toEqual([]);
    // Order does not matter, and an exclusion counts only within its template.
    theirs(template(50, "-lo*", "l*"), template(60, "-metrics-*", "logs*"));
    expect(await told(policies)).toEqual([SHADOWED("logs-groundwork-probe")]);
  });

  test("is compared for indices that it applies to", async () => {
    const policies = declared(template(5, "-logs-*", "logs-*", "app-*"));
    theirs(template(50, "logs-*"));
    expect(await told(policies)).toEqual([]);
    theirs(template(50, "app-*"));
    expect(await told(policies)).toEqual([SHADOWED("app-groundwork-probe")]);
  });

  test("does not replace itself with a template of a higher priority", async () => {
    expect(await told(declared(template(5, "logs-*"), template(9, "logs*")))).toEqual([]);
  });
});

test("OpenSearch lists all policies in one request", async () => {
  ism.put("logs", logs(30)[0].body);
  await told(logs(30));
  expect(server.requests.filter((request) => request.includes("/_plugins/"))).toEqual([
    ...["GET /_plugins/_ism/policies", "GET /_plugins/_ism/explain"],
  ]);
});

test("without declared policies, no index management plugin is needed", async () => {
  server.indexManagement = undefined;
  expect(await told([])).toEqual([]);
  await expect(told(logs(30))).rejects.toThrow(
    /^OpenSearch does not answer \/_plugins\/_ism\/explain\?size=10000: .*no handler found/s,
  );
});
