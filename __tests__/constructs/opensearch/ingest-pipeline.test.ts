import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IngestPipeline, OpenSearchCluster, OpenSearchInit } from "../../../constructs";
import { calledFirst } from "../../../constructs/opensearch/references";
import { type Fault, fakeOpenSearches } from "../../support/fake-opensearch";
import { type Declarations, declare, fieldsOf, runOsInit } from "../../support/os-init";
import type { Json } from "../../support/platform";
import { exitLine, linesOf } from "../../support/sidecar";
import { networks, nodes, testStack } from "../../support/stack";

const LOWERCASE = { lowercase: { field: "level" } };
const CLEAN = { description: "Cleans logs", version: 1, processors: [LOWERCASE] };
const call = (name: string) => ({ processors: [{ pipeline: { name } }] });

describe("an ingest pipeline", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "pipelines-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const load = (body: Json, tests?: Json) => {
    writeFileSync(join(directory, "p.json"), JSON.stringify(body));
    if (tests !== undefined) {
      writeFileSync(join(directory, "p.tests.json"), JSON.stringify(tests));
    }
    return IngestPipeline.fromDirectory(directory);
  };

  test.each<[string, Json, RegExp]>([
    [
      "has no processors",
      {},
      /^ingest pipeline .*p\.json has no processors: list them, such as \[\{ "lowercase": \{ "field": "level" \} \}\]$/,
    ],
    [
      "has an unknown key",
      { ...CLEAN, _meta: {} },
      /p\.json has an unknown property "_meta": allowed: description, version, processors, on_failure$/,
    ],
    [
      "has a processor of two types, and none",
      { processors: [{ ...LOWERCASE, set: {} }, {}] },
      /^ingest pipeline .*p\.json: processors\[0\] has the keys lowercase, set: a processor has one, its type; write an entry for each\ningest pipeline .*p\.json: processors\[1\] is \{\}: write a processor, such as/,
    ],
    [
      "has such a processor in case of a failure",
      { processors: [{ set: { on_failure: [7] } }], on_failure: {} },
      /^ingest pipeline .*p\.json: processors\[0\]\.set\.on_failure\[0\] is 7: write a processor, .*\ningest pipeline .*p\.json has on_failure \{\}: it must be a list$/,
    ],
  ])("fails when it %s", (_, body, message) => {
    expect(() => load(body)).toThrow(message);
  });

  test("may have the source of a script in place of its object", () => {
    const processors = [{ script: "ctx.a = 1" }];
    expect(() => load({ processors, on_failure: processors })).not.toThrow();
    expect(() => load({ processors: [{ set: "ctx.a = 1" }] })).toThrow(
      /processors\[0\] is \{"set":"ctx\.a = 1"\}: write a processor/,
    );
  });

  test.each<[string, Json, RegExp]>([
    [
      "are no list",
      {},
      /^ingest pipeline .*p\.tests\.json has no list of tests: write \{ "tests": /,
    ],
    [
      "have an unknown key, or lack one",
      { tests: [{ document: {}, expects: {} }, { error: "x" }] },
      /tests\.json: tests\[0\] has an unknown property "expects": did you mean "expected"\? allowed: name, document, expected, error\n.*tests\[0\] must have either expected, .*\n.*tests\[1\] has no document: write one, such as \{\}$/,
    ],
  ])("fails when its tests %s", (_, tests, message) => {
    expect(() => load(CLEAN, tests)).toThrow(message);
  });

  test("fails when tests have no pipeline", () => {
    mkdirSync(join(directory, "team"));
    writeFileSync(join(directory, "team", "q.tests.json"), '{"tests": []}');
    expect(() => load(CLEAN)).toThrow(
      /team\/q\.tests\.json tests no pipeline: add .*team\/q\.json, or remove it$/,
    );
  });

  const init = (declarations: Declarations, ingestPipelines?: readonly string[]) => {
    const scope = testStack();
    const cluster = new OpenSearchCluster(scope, "os", {
      ...networks(scope),
      nodes: nodes(scope, 1),
    });
    const declared = declare(declarations, { ingestPipelines });
    return () => new OpenSearchInit(scope, "init", { cluster, ...declared });
  };

  const logs = (settings: Json) => ({ index_patterns: ["logs-*"], template: { settings } });

  test.each<[string, string, Declarations]>([
    [
      'index template "logs" uses',
      "its settings",
      { "index-templates/logs": logs({ index: { default_pipeline: "clean" } }) },
    ],
    [
      'index template "logs" uses',
      "its settings",
      { "index-templates/logs": logs({ "index.final_pipeline": "clean" }) },
    ],
    [
      'component template "base" uses',
      "its settings",
      { "component-templates/base": { template: { settings: { default_pipeline: "clean" } } } },
    ],
    [
      'ingest pipeline "caller" uses',
      "its processors",
      { "ingest-pipelines/caller": call("clean") },
    ],
    [
      'ingest pipeline "caller" uses',
      "its processors",
      {
        "ingest-pipelines/caller": {
          processors: [{ foreach: { field: "a", processor: { pipeline: { name: "clean" } } } }],
        },
      },
    ],
    [
      'ingest pipeline "caller" uses',
      "its processors",
      {
        "ingest-pipelines/caller": {
          processors: [{ set: { on_failure: [{ pipeline: { name: "clean" } }] } }],
        },
      },
    ],
    [
      'ingest pipeline "caller" uses',
      "its processors",
      { "ingest-pipelines/caller": { ...CLEAN, on_failure: [{ pipeline: { name: "clean" } }] } },
    ],
  ])("fails to be removed while %s it in %s", (user, place, declarations) => {
    expect(init(declarations)).toThrow(
      `${user} the ingest pipeline "clean", which is not declared: declare it in catalog/ingest-pipelines/clean.json, remove it from ${place}, or add it to ingestPipelines in catalog/index.ts if the cluster has it; declared: `,
    );
    expect(init({ ...declarations, "ingest-pipelines/clean": CLEAN })).not.toThrow();
    expect(init(declarations, ["clean"])).not.toThrow();
  });

  test("is not what data of a processor looks like", () => {
    const value = { pipeline: { name: "clean" }, on_failure: [{ pipeline: { name: "clean" } }] };
    const processors = [
      { set: { field: "event", value } },
      { script: { source: "", params: { processor: { pipeline: { name: "clean" } } } } },
    ];
    expect(init({ "ingest-pipelines/audit": { processors } })).not.toThrow();
  });

  test("may be none, or one that is known only at run time", () => {
    const none = logs({ default_pipeline: "_none", "index.final_pipeline": null });
    const late = call("{{_source.kind}}");
    expect(init({ "index-templates/logs": none, "ingest-pipelines/late": late })).not.toThrow();
  });

  test("fails when it calls itself by way of another one", () => {
    const circle = { "ingest-pipelines/a": call("b"), "ingest-pipelines/b": call("a") };
    expect(init(circle)).toThrow(
      "ingest pipelines call each other: a -> b -> a: remove a pipeline processor (at test/init)",
    );
  });

  test("is created after those that it calls", () => {
    const { ingestPipelines } = declare({
      "ingest-pipelines/a": call("b"),
      "ingest-pipelines/b": call("c"),
      "ingest-pipelines/c": CLEAN,
    });
    const sorted = calledFirst(ingestPipelines);
    expect(sorted.map(({ name }) => name)).toEqual(["c", "b", "a"]);
  });
});

const WITH_TESTS: Declarations = {
  "ingest-pipelines/clean": {
    processors: [{ set: { field: "at", value: "now" } }, LOWERCASE],
  },
  "ingest-pipelines/clean.tests": {
    tests: [
      { document: { level: "INFO" }, expected: { level: "info", at: "<any>" } },
      { document: { level: "a.b", "x.y": [] }, expected: { level: "a.b", "x.y": [], at: "now" } },
    ],
  },
};
const PIPELINE: Declarations = { "ingest-pipelines/clean": CLEAN };
const USED: Declarations = {
  ...PIPELINE,
  "index-templates/logs": {
    index_patterns: ["logs-*"],
    template: { settings: { default_pipeline: "clean" } },
  },
};

describe("os-init", () => {
  const fake = fakeOpenSearches();

  test.concurrent("creates pipelines before the templates that use them, and then finds them unchanged", async () => {
    const [server, url] = await fake();
    expect(exitLine(await runOsInit(url, USED))).toMatchObject({ exit_code: 0, created: 2 });
    expect(server.writes).toEqual([
      "PUT /_ingest/pipeline/clean",
      "PUT /_index_template/logs?create=true",
    ]);
    expect(server.pipelines.get("clean").description).toMatch(
      /^Cleans logs \[fingerprint [0-9a-f]{64}\]$/,
    );
    server.requests.length = 0;
    expect(exitLine(await runOsInit(url, USED))).toMatchObject({ exit_code: 0, unchanged: 2 });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("applies a changed pipeline that nobody edited", async () => {
    const [server, url] = await fake();
    await runOsInit(url, PIPELINE);
    const { description: _, ...body } = { ...CLEAN, version: 2 };
    const run = await runOsInit(url, { "ingest-pipelines/clean": body });
    expect(fieldsOf(run, "change")).toEqual([
      ["ingest-pipeline/clean", "description", "absent", '"Cleans logs"'],
      ["ingest-pipeline/clean", "version", "2", "1"],
    ]);
    expect(exitLine(run)).toMatchObject({ exit_code: 0, reconciled: 1 });
    expect(server.pipelines.get("clean")).toMatchObject({
      ...{ version: 2, description: expect.stringMatching(/^\[fingerprint [0-9a-f]{64}\]$/) },
    });
  });

  test.concurrent("reports each field of a pipeline that was edited, leaves it, and exits with 73", async () => {
    const [server, url] = await fake();
    await runOsInit(url, PIPELINE);
    const edited = {
      ...server.pipelines.get("clean"),
      processors: [{ lowercase: { field: "x" } }],
    };
    server.pipelines.set("clean", edited);
    const run = await runOsInit(url, { "ingest-pipelines/clean": { ...CLEAN, version: 2 } });
    expect(fieldsOf(run, "drift")).toEqual([
      ["ingest-pipeline/clean", "processors[0].lowercase.field", '"level"', '"x"'],
      ["ingest-pipeline/clean", "version", "2", "1"],
    ]);
    expect(exitLine(run)).toMatchObject({
      ...{ exit_code: 73, reason: "drift from the declaration: ingest-pipeline/clean" },
    });
    const ignored = await runOsInit(url, PIPELINE, { onDrift: "ignore" });
    expect(exitLine(ignored)).toMatchObject({ exit_code: 0, ignored: 1 });
    expect(server.pipelines.get("clean")).toEqual(edited);
  });

  test.concurrent("takes over a pipeline that something else created as declared, without a write", async () => {
    const [server, url] = await fake();
    server.pipelines.set("clean", CLEAN);
    expect(exitLine(await runOsInit(url, PIPELINE))).toMatchObject({ exit_code: 0, unchanged: 1 });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("does not overwrite a pipeline that appears after its first read, or between two attempts", async () => {
    const theirs = { processors: [] };
    const appear: Fault = {
      kind: "meanwhile",
      act: ({ pipelines }) => pipelines.set("clean", theirs),
    };
    const unseen: Fault = { kind: "meanwhile", act: () => undefined };
    for (const faults of [
      [
        [/GET \/_ingest/, unseen],
        [/GET \/_ingest/, appear],
      ],
      [
        [/PUT \/_ingest/, { kind: "reset" }],
        [/GET \/_ingest/, unseen],
        [/GET \/_ingest/, unseen],
        [/GET \/_ingest/, appear],
      ],
    ] as [RegExp, Fault][][]) {
      const [server, url] = await fake(...faults);
      const run = await runOsInit(url, PIPELINE);
      expect(exitLine(run)).toMatchObject({ exit_code: 73, drifted: 1, created: 0 });
      expect(server.pipelines.get("clean")).toEqual(theirs);
    }
  });

  test.concurrent("applies a pipeline that passes its tests", async () => {
    const [server, url] = await fake();
    expect(exitLine(await runOsInit(url, WITH_TESTS))).toMatchObject({ exit_code: 0, created: 1 });
    expect(server.requests.filter((request) => request.includes("_ingest"))[0]).toBe(
      "POST /_ingest/pipeline/_simulate",
    );
  });

  test.concurrent.each<[string, Json[], Json[], string[][]]>([
    [
      "a field has another value, is missing, or is not expected",
      [LOWERCASE],
      [{ document: { level: "INFO", a: 1 }, expected: { level: "INFO", b: "<any>" } }],
      [
        ["tests[0].expected.a", "absent", "1"],
        ["tests[0].expected.b", '"<any>"', "absent"],
        ["tests[0].expected.level", '"INFO"', '"info"'],
      ],
    ],
    [
      "a document is dropped",
      [{ drop: {} }],
      [
        { document: {}, expected: null },
        { document: {}, expected: { a: 1 } },
      ],
      [
        ["tests[1].expected", "absent", "null"],
        ["tests[1].expected.a", "1", "absent"],
      ],
    ],
    [
      "it fails with another reason",
      [{ fail: { message: "no level" } }],
      [
        { document: {}, error: "no level" },
        { document: {}, error: "no host" },
      ],
      [["tests[1].error", '"no host"', '"no level"']],
    ],
  ])("exits with 65 and does not apply a pipeline if %s", async (_, processors, tests, drift) => {
    const [server, url] = await fake();
    const run = await runOsInit(url, {
      "ingest-pipelines/clean": { processors },
      "ingest-pipelines/clean.tests": { tests },
    });
    expect(fieldsOf(run, "drift").map(([, ...field]) => field)).toEqual(drift);
    expect(exitLine(run)).toMatchObject({
      exit_code: 65,
      reason: "ingest pipeline clean: it does not pass its tests, so it was not applied",
    });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("says why OpenSearch rejects a pipeline", async () => {
    const body = { error: { reason: "No processor type exists with name [zet]" } };
    const [, url] = await fake([/PUT \/_ingest/, { kind: "status", status: 400, body }]);
    const run = await runOsInit(url, PIPELINE);
    expect(exitLine(run)).toMatchObject({
      exit_code: 65,
      reason:
        "ingest pipeline clean: OpenSearch rejects it: No processor type exists with name [zet]: HTTP 400",
    });
    expect(linesOf(run, "retry")).toEqual([]);
  });
});
