import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ComponentTemplate, OpenSearchCluster, OpenSearchInit } from "../../../constructs";
import { fakeOpenSearches } from "../../support/fake-opensearch";
import { type Declarations, declare, fieldsOf, runOsInit } from "../../support/os-init";
import type { Json } from "../../support/platform";
import { exitLine, linesOf } from "../../support/sidecar";
import { networks, nodes, testStack } from "../../support/stack";

describe("a component template", () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "templates-"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each([
    ["is not JSON", "{", /^component template .*t\.json:1:2 is invalid JSON/],
    [
      "has no template",
      "{}",
      /^component template .*t\.json has no template: give it settings, mappings or aliases, or \{\}$/,
    ],
    [
      "has an unknown key",
      '{"template": {}, "index_patterns": ["a-*"]}',
      /^component template .*t\.json has an unknown property "index_patterns": allowed: template, version, _meta$/,
    ],
    [
      "has an unknown key inside",
      '{"template": {"mapping": {}}, "version": "v1"}',
      /^component template .*t\.json has the version "v1": use a whole number, such as 1\ncomponent template .*t\.json: template has an unknown property "mapping": did you mean "mappings"\? allowed: settings, mappings, aliases$/,
    ],
  ])("fails when it %s", (_, text, message) => {
    const path = join(directory, "t.json");
    writeFileSync(path, text);
    expect(() => ComponentTemplate.fromFile(path)).toThrow(message);
  });

  const init = (declarations: Declarations, componentTemplates?: readonly string[]) => {
    const scope = testStack();
    const cluster = new OpenSearchCluster(scope, "os", {
      ...networks(scope),
      nodes: nodes(scope, 1),
    });
    const declared = declare(declarations, { componentTemplates });
    return () => new OpenSearchInit(scope, "init", { cluster, ...declared });
  };

  const LOGS = { index_patterns: ["logs-*"], composed_of: ["base"] };

  test("fails to be removed while an index template is composed of it, which the message names", () => {
    const without = init({ "index-templates/logs": LOGS, "component-templates/other": BASE });
    expect(without).toThrow(
      'index template "logs" uses the component template "base", which is not declared: declare it in catalog/component-templates/base.json, remove it from composed_of, or add it to componentTemplates in catalog/index.ts if the cluster has it; declared: other (at test/init)',
    );
    expect(init({ "index-templates/logs": LOGS, "component-templates/base": BASE })).not.toThrow();
    expect(init({ "index-templates/logs": LOGS }, ["base"])).not.toThrow();
  });

  test("fails when it is declared twice, but may have the name of an index template", () => {
    const twice = { "component-templates/a/base": BASE, "component-templates/b/base": BASE };
    expect(init(twice)).toThrow(
      'component template "base" is declared twice: rename or remove one (at test/init)',
    );
    const alike = { "component-templates/logs": BASE, "index-templates/logs": PLAIN };
    expect(init(alike)).not.toThrow();
  });
});

const BASE = {
  template: {
    settings: { "index.refresh_interval": "5s" },
    mappings: { properties: { level: { type: "keyword" } } },
    aliases: { everything: {} },
  },
  version: "1",
};
const PLAIN = { index_patterns: ["logs-*"] };
const LOGS = {
  index_patterns: ["logs-*"],
  composed_of: ["base"],
  template: { settings: { number_of_replicas: 1 } },
};
const BOTH: Declarations = { "component-templates/base": BASE, "index-templates/logs": LOGS };

/** Returns a copy with another value. */
function changed<T extends object>(body: T, change: (copy: Json) => void): T {
  const copy = structuredClone(body);
  change(copy);
  return copy;
}

describe("os-init", () => {
  const fake = fakeOpenSearches();

  test.concurrent("creates component templates before the index templates that are composed of them, and then finds both unchanged", async () => {
    const [server, url] = await fake();
    const created = await runOsInit(url, BOTH);
    expect(exitLine(created)).toMatchObject({ exit_code: 0, created: 2 });
    expect(created.log[0].declared).toEqual(["component-template/base", "logs"]);
    expect(server.writes).toEqual([
      "PUT /_component_template/base?create=true",
      "PUT /_index_template/logs?create=true",
    ]);
    expect(server.components.get("base")._meta.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    server.requests.length = 0;
    const again = await runOsInit(url, BOTH);
    expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: 2 });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("applies a changed component template that nobody edited, and leaves the index template", async () => {
    const [server, url] = await fake();
    await runOsInit(url, BOTH);
    server.requests.length = 0;
    const base = changed(BASE, ({ template }) => {
      template.mappings.properties.level.type = "text";
    });
    const run = await runOsInit(url, { ...BOTH, "component-templates/base": base });
    expect(exitLine(run)).toMatchObject({ exit_code: 0, reconciled: 1, unchanged: 1 });
    expect(fieldsOf(run, "change")).toEqual([
      [
        ...["component-template/base", "template.mappings.properties.level.type"],
        ...['"text"', '"keyword"'],
      ],
    ]);
    expect(server.writes).toEqual(["PUT /_component_template/base"]);
  });

  test.concurrent("applies changes of a component template and of its index template in one run", async () => {
    const [server, url] = await fake();
    await runOsInit(url, BOTH);
    const run = await runOsInit(url, {
      "component-templates/base": changed(BASE, ({ template }) => {
        template.mappings.properties.region = { type: "keyword" };
      }),
      "index-templates/logs": changed(LOGS, ({ template }) => {
        template.settings.number_of_replicas = 2;
      }),
    });
    expect(exitLine(run)).toMatchObject({ exit_code: 0, reconciled: 2, drifted: 0 });
    expect(server.templates.get("logs").template.settings.number_of_replicas).toBe(2);
  });

  test.concurrent("reports each field of a component template that was edited, leaves it, and exits with 73", async () => {
    const [server, url] = await fake();
    await runOsInit(url, BOTH);
    const edited = changed(server.components.get("base"), ({ template }) => {
      template.mappings.properties.level.type = "text";
      template.aliases = {};
    });
    server.components.set("base", edited);
    server.requests.length = 0;
    const run = await runOsInit(url, BOTH);
    expect(fieldsOf(run, "drift")).toEqual([
      ["component-template/base", "template.aliases", "absent", "{ }"],
      ["component-template/base", "template.aliases.everything", "{ }", "absent"],
      [
        ...["component-template/base", "template.mappings.properties.level.type"],
        ...['"keyword"', '"text"'],
      ],
    ]);
    expect(exitLine(run)).toMatchObject({
      exit_code: 73,
      reason: "drift from the declaration: component-template/base",
      unchanged: 1,
    });
    expect(server.writes).toEqual([]);
    const ignored = await runOsInit(url, BOTH, { onDrift: "ignore" });
    expect(exitLine(ignored)).toMatchObject({ exit_code: 0, ignored: 1, unchanged: 1 });
    expect(server.components.get("base")).toEqual(edited);
  });

  test.concurrent("applies a changed index template although somebody edited a component of it", async () => {
    const [server, url] = await fake();
    server.components.set("base", BASE);
    const declared = (replicas: number) => ({
      "index-templates/logs": changed(LOGS, ({ template }) => {
        template.settings.number_of_replicas = replicas;
      }),
    });
    const theirs = { componentTemplates: ["base"] };
    await runOsInit(url, declared(1), theirs);
    server.components.set(
      "base",
      changed(BASE, ({ template }) => {
        template.settings["index.refresh_interval"] = "9s";
      }),
    );
    const run = await runOsInit(url, declared(2), theirs);
    expect(exitLine(run)).toMatchObject({ exit_code: 0, reconciled: 1 });
    expect(fieldsOf(run, "change")).toEqual([
      ["logs", "template.settings.index.number_of_replicas", '"2"', '"1"'],
    ]);
  });

  test.concurrent("does not overwrite a component template that appears between its read and its write", async () => {
    const theirs = { template: { settings: { number_of_shards: 3 } } };
    const [server, url] = await fake([
      /PUT \/_component/,
      { kind: "meanwhile", act: ({ components }) => components.set("base", theirs) },
    ]);
    const run = await runOsInit(url, { "component-templates/base": BASE });
    expect(exitLine(run)).toMatchObject({ exit_code: 73, drifted: 1 });
    expect(server.components.get("base")).toEqual(theirs);
  });

  test.concurrent("exits with 73 if something else changes a component template at the same time", async () => {
    const [server, url] = await fake();
    await runOsInit(url, BOTH);
    const theirs = { template: { settings: { number_of_shards: 3 } } };
    // The second read of the component follows the write.
    const keep = () => server.components.set("base", theirs);
    server.faults.push(
      { on: /GET \/_component/, fault: { kind: "meanwhile", act: () => undefined } },
      { on: /GET \/_component/, fault: { kind: "meanwhile", act: keep } },
    );
    const run = await runOsInit(url, {
      ...BOTH,
      "component-templates/base": { ...BASE, version: 2 },
    });
    expect(linesOf(run, "drifted")).toMatchObject([
      {
        resource: "component-template/base",
        reason: "something else changed it at the same time",
      },
    ]);
    expect(exitLine(run).exit_code).toBe(73);
  });

  test.concurrent("says why OpenSearch rejects a component template", async () => {
    const body = { error: { reason: "unknown setting [index.numbr]" } };
    const [, url] = await fake([/_simulate$/, { kind: "status", status: 400, body }]);
    expect(exitLine(await runOsInit(url, BOTH))).toMatchObject({
      exit_code: 65,
      reason:
        "component template base: OpenSearch rejects it: unknown setting [index.numbr]: HTTP 400",
    });
  });
});
