import fc from "fast-check";
import { OpenSearchNode } from "../../support/open-search-node";
import { type Declarations, fieldsOf, runOsInit } from "../../support/os-init";
import { exitLine, linesOf } from "../../support/sidecar";
import { templateBodies } from "../../support/template-spellings";

const node = new OpenSearchNode();
beforeAll(() => node.start());
afterAll(() => node.remove());

const provision = (declarations: Declarations) => runOsInit(node.url, declarations, { nodes: 1 });

const BASE = {
  template: {
    settings: { number_of_replicas: "0", analysis: { analyzer: { own: { type: "simple" } } } },
    mappings: { properties: { "a.b": { type: "keyword", index: "true" } } },
    aliases: { "all-{index}": {}, everything: {} },
  },
  version: "7",
};
const LOGS = {
  index_patterns: ["family-*"],
  priority: 800,
  composed_of: ["base"],
  // Valid only with the analyzer and the field of its component.
  template: {
    mappings: {
      properties: {
        text: { type: "text", analyzer: "own" },
        short: { type: "alias", path: "a.b" },
      },
    },
  },
};
const BOTH = { "component-templates/base": BASE, "index-templates/family": LOGS };

test("a component template and an index template that needs it are created, and then unchanged", async () => {
  const created = await provision(BOTH);
  expect(linesOf(created, "drift")).toEqual([]);
  expect(exitLine(created)).toMatchObject({ exit_code: 0, reason: "done", created: 2 });
  expect(exitLine(await provision(BOTH))).toMatchObject({ exit_code: 0, unchanged: 2 });
  const [, index] = await node.ask("PUT", "/family-1");
  expect(index).toMatchObject({ acknowledged: true });
});

test("both can change in one run", async () => {
  const changed = structuredClone(BOTH);
  Object.assign(changed["component-templates/base"].template.settings, { refresh_interval: "9s" });
  Object.assign(changed["index-templates/family"].template.mappings, { dynamic: "strict" });
  const run = await provision(changed);
  expect(fieldsOf(run, "change")).toEqual([
    ["component-template/base", "template.settings.index.refresh_interval", '"9s"', "absent"],
    ["family", "template.mappings.dynamic", '"strict"', "absent"],
  ]);
  expect(exitLine(run)).toMatchObject({ exit_code: 0, reconciled: 2, drifted: 0 });
  expect(exitLine(await provision(changed))).toMatchObject({ exit_code: 0, unchanged: 2 });
  expect(exitLine(await provision(BOTH))).toMatchObject({ exit_code: 0, reconciled: 2 });
});

test("a component template that was edited by hand is drift with its field, and stays", async () => {
  const path = "/_component_template/base";
  const stored = async () => (await node.ask("GET", path))[1].component_templates[0];
  const { component_template } = await stored();
  component_template.template.settings.index.number_of_replicas = "1";
  expect((await node.ask("PUT", path, component_template))[0]).toBe(200);
  const run = await provision(BOTH);
  expect(fieldsOf(run, "drift")).toEqual([
    ["component-template/base", "template.settings.index.number_of_replicas", '"0"', '"1"'],
  ]);
  expect(exitLine(run)).toMatchObject({ exit_code: 73, drifted: 1, unchanged: 1 });
  expect((await stored()).component_template).toEqual(component_template);
});

test.each([
  [
    "an unknown type",
    { mappings: { properties: { big: { type: "scaled_flaot" } } } },
    "component template rejected: OpenSearch rejects it: No handler for type [scaled_flaot] declared on field [big]",
  ],
  [
    "an unknown setting",
    { settings: { numbr_of_shards: 1 } },
    "component template rejected: OpenSearch rejects it: unknown setting [index.numbr_of_shards]",
  ],
])(
  "os-init says why OpenSearch rejects a component template with %s",
  async (_, template, reason) => {
    const run = await provision({ "component-templates/rejected": { template } });
    expect(exitLine(run)).toMatchObject({ exit_code: 65, reason: expect.stringContaining(reason) });
    expect((await node.ask("GET", "/_component_template/rejected"))[0]).toBe(404);
  },
);

let made = 0;

test("os-init creates a component template in any spelling that OpenSearch accepts, and then finds it unchanged", () =>
  fc.assert(
    fc.asyncProperty(fc.array(templateBodies, { minLength: 10, maxLength: 20 }), async (some) => {
      const declarations = Object.fromEntries(
        some.map((template) => [`component-templates/any-${made++}`, { template }]),
      );
      const created = await provision(declarations);
      expect(linesOf(created, "drift")).toEqual([]);
      expect(exitLine(created)).toMatchObject({ exit_code: 0, created: some.length });
      expect(exitLine(await provision(declarations))).toMatchObject({
        ...{ exit_code: 0, unchanged: some.length },
      });
    }),
    { numRuns: 3, endOnFailure: true },
  ));
