import fc from "fast-check";
import { OpenSearchNode } from "../../support/open-search-node";
import { type Declarations, fieldsOf, runOsInit } from "../../support/os-init";
import type { Json } from "../../support/platform";
import { exitLine, linesOf } from "../../support/sidecar";

const node = new OpenSearchNode();
beforeAll(() => node.start());
afterAll(() => node.remove());

const provision = (declarations: Declarations) => runOsInit(node.url, declarations, { nodes: 1 });

const CLEAN = {
  description: 'Cleans "logs", \\ and [fingerprint x]',
  version: "3",
  processors: [
    { set: { field: "seen", value: "{{{_ingest.timestamp}}}" } },
    { lowercase: { field: "level", ignore_missing: true } },
    { drop: { if: "ctx.level == 'debug'" } },
    { fail: { if: "ctx.level == null", message: "no level" } },
  ],
};
const FAMILY = {
  "ingest-pipelines/a-caller": { processors: [{ pipeline: { name: "clean.logs" } }] },
  "ingest-pipelines/a-caller.tests": {
    tests: [
      {
        document: { level: "INFO", "x.y": [], n: { one: 1.0, big: 1e30 }, none: null },
        expected: {
          ...{ level: "info", "x.y": [], n: { one: 1.0, big: 1e30 }, none: null, seen: "<any>" },
        },
      },
      { document: { level: "DEBUG" }, expected: null },
      { document: {}, error: "no level" },
    ],
  },
  "ingest-pipelines/clean.logs": CLEAN,
  "index-templates/cleaned": {
    index_patterns: ["cleaned-*"],
    priority: 700,
    template: { settings: { number_of_replicas: 0, default_pipeline: "a-caller" } },
  },
} satisfies Declarations;

test("pipelines are created with those that they call and tested, and then unchanged", async () => {
  const created = await provision(FAMILY);
  expect(linesOf(created, "drift")).toEqual([]);
  expect(exitLine(created)).toMatchObject({ exit_code: 0, reason: "done", created: 3 });
  expect(exitLine(await provision(FAMILY))).toMatchObject({ exit_code: 0, unchanged: 3 });
  const [status] = await node.ask("PUT", "/cleaned-1/_doc/1", { level: "WARN" });
  expect(status).toBe(201);
  expect((await node.ask("GET", "/cleaned-1/_doc/1"))[1]._source).toMatchObject({ level: "warn" });
});

test("a changed pipeline is applied, and one that does not pass its tests is not", async () => {
  const PATH = "/_ingest/pipeline/a-caller";
  const changed = (processors: Json[]) => ({
    ...FAMILY,
    "ingest-pipelines/a-caller": { version: 2, processors },
  });
  const [call] = FAMILY["ingest-pipelines/a-caller"].processors;
  expect(exitLine(await provision(changed([call])))).toMatchObject({ exit_code: 0, reconciled: 1 });
  const before = await node.ask("GET", PATH);
  const broken = await provision(changed([call, { set: { field: "level", value: "x" } }]));
  expect(fieldsOf(broken, "drift")).toEqual([
    ["ingest-pipeline/a-caller", "tests[0].expected.level", '"info"', '"x"'],
  ]);
  expect(exitLine(broken)).toMatchObject({
    exit_code: 65,
    reason: "ingest pipeline a-caller: it does not pass its tests, so it was not applied",
  });
  expect(await node.ask("GET", PATH)).toEqual(before);
});

test("a pipeline that was edited by hand is drift with its field, and stays", async () => {
  const PATH = "/_ingest/pipeline/clean.logs";
  const edited = { ...(await node.ask("GET", PATH))[1]["clean.logs"] };
  edited.processors[1].lowercase.field = "severity";
  expect((await node.ask("PUT", PATH, edited))[0]).toBe(200);
  const { "ingest-pipelines/clean.logs": clean } = FAMILY;
  const run = await provision({ "ingest-pipelines/clean.logs": { ...clean, version: 4 } });
  expect(fieldsOf(run, "drift")).toEqual([
    ["ingest-pipeline/clean.logs", "processors[1].lowercase.field", '"level"', '"severity"'],
    ["ingest-pipeline/clean.logs", "version", "4", "3"],
  ]);
  expect(exitLine(run)).toMatchObject({ exit_code: 73, drifted: 1 });
  expect((await node.ask("GET", PATH))[1]["clean.logs"]).toEqual(edited);
});

test.each<[string, Json, string]>([
  [
    "an unknown processor",
    [{ zet: { field: "a" } }],
    "No processor type exists with name [zet]: HTTP 400",
  ],
  [
    "a parameter missing",
    [{ set: { field: "a" } }],
    "[value] required property is missing: HTTP 400",
  ],
])("os-init says why OpenSearch rejects a pipeline with %s", async (_, processors, reason) => {
  const run = await provision({ "ingest-pipelines/rejected": { processors } });
  expect(exitLine(run)).toMatchObject({
    ...{ exit_code: 65, reason: `ingest pipeline rejected: OpenSearch rejects it: ${reason}` },
  });
});

/** Any value, with keys that are hard to tell apart from paths. */
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(
      null,
      true,
      0,
      -1,
      1.5,
      1e21,
      "",
      "a=b",
      'say "hi"',
      "[fingerprint x]",
      "}",
      "{",
    ),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "a.b", "a=b", "b[0]", "", 'x" : "y', "}"), tie("value"), {
      maxKeys: 3,
    }),
  ),
})).value;

const pipelines = fc.record(
  {
    description: fc.constantFrom("", " ", "a ", "x [fingerprint y]", "@FINGERPRINT@", 'a "b"\\'),
    version: fc.constantFrom(3, "4"),
    processors: fc.array(
      fc.oneof(
        values.map((value) => ({ set: { field: "a", value: value ?? "x" } })),
        fc.constantFrom(
          { remove: { field: ["a", "b"], ignore_missing: true } },
          {
            rename: { field: "a", target_field: "b", if: "ctx.a == 'x'\n&& true", tag: "t" },
          },
        ),
      ),
      { maxLength: 4 },
    ),
    on_failure: fc.constant([
      { set: { field: "error", value: "{{ _ingest.on_failure_message }}" } },
    ]),
  },
  { requiredKeys: ["processors"] },
);

let made = 0;

test("os-init creates a pipeline in any spelling that OpenSearch accepts, and then finds it unchanged", () =>
  fc.assert(
    fc.asyncProperty(fc.array(pipelines, { minLength: 10, maxLength: 20 }), async (some) => {
      const declarations = Object.fromEntries(
        some.map((body) => [`ingest-pipelines/any-${made++}`, body]),
      );
      const created = await provision(declarations);
      expect(linesOf(created, "drift")).toEqual([]);
      expect(exitLine(created)).toMatchObject({ exit_code: 0, created: some.length });
      const again = await provision(declarations);
      expect(linesOf(again, "drift")).toEqual([]);
      expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: some.length });
    }),
    { numRuns: 3, endOnFailure: true },
  ));
