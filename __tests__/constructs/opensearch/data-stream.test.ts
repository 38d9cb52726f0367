import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog } from "../../../catalog";
import { DataStream, IndexTemplate, OpenSearchCluster, OpenSearchInit } from "../../../constructs";
import { renderResource } from "../../../constructs/opensearch/declared-resource";
import { messageOf } from "../../support/message";
import { type Declarations, declare } from "../../support/os-init";
import { networks, nodes, testStack } from "../../support/stack";

const LOGS = { index_patterns: ["logs-app"], data_stream: {} };
const PLAIN = { index_patterns: ["logs-app"] };

describe("a data stream", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "data-streams-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const write = (body: object, name = "logs.json") => {
    const path = join(directory, name);
    writeFileSync(path, JSON.stringify(body));
    return path;
  };

  test("is its index template, as if that were declared in catalog/index-templates/", () => {
    const path = write(LOGS);
    const props = { onDrift: "ignore", componentTemplates: ["base"] } as const;
    expect(DataStream.fromFile(path, props)).toEqual(IndexTemplate.fromFile(path, props));
    expect(DataStream.fromDirectory(directory, props)).toEqual(
      IndexTemplate.fromDirectory(directory, props),
    );
  });

  test("fails without data_stream, with all files that lack it", () => {
    const [a, b] = [write(PLAIN, "a.json"), write(PLAIN, "b.json")];
    expect(messageOf(() => DataStream.fromDirectory(directory))).toBe(
      [a, b]
        .map(
          (path) =>
            `index template ${path} has no data_stream: add "data_stream": {}, or move the file to catalog/index-templates/`,
        )
        .join("\n"),
    );
  });

  test("fails as an index template does", () => {
    const path = write({ ...LOGS, data_steam: {} });
    expect(() => DataStream.fromFile(path)).toThrow(
      `index template ${path} has an unknown property "data_steam": did you mean "data_stream"?`,
    );
  });
});

describe("in the catalog", () => {
  const init = (declarations: Declarations) => {
    const scope = testStack();
    const cluster = new OpenSearchCluster(scope, "os", {
      ...networks(scope),
      nodes: nodes(scope, 1),
    });
    return new OpenSearchInit(scope, "init", { cluster, ...declare(declarations) });
  };

  test("the same name in both folders of index templates fails, with both folders", () => {
    expect(
      messageOf(() => init({ "data-streams/team/logs": LOGS, "index-templates/logs": PLAIN })),
    ).toBe(
      'index template "logs" is declared twice: rename or remove one, in catalog/data-streams/ or catalog/index-templates/ (at test/init)',
    );
  });

  test("an index template with data_stream may stay in catalog/index-templates/", () => {
    expect(declare({ "index-templates/logs": LOGS })).toEqual(
      declare({ "data-streams/logs": LOGS }),
    );
    expect(() => init({ "index-templates/logs": LOGS })).not.toThrow();
  });

  test("the shipped one is uploaded before the index templates, and as one", () => {
    const [first] = catalog.indexTemplates;
    expect(catalog.indexTemplates.map(({ name }) => name).slice(0, 2)).toEqual([
      "application-logs",
      "logs_template",
    ]);
    expect(renderResource(first)).toEqual([
      {
        path: "/groundwork/index-templates/application-logs.json",
        content: `{
  "data_stream": {},
  "priority": 100,
  "composed_of": ["application-logs"],
  "template": {"settings":{"number_of_shards":1,"number_of_replicas":1,"default_pipeline":"application-logs"}},
  "version": 1,
  "_meta": {"owner":"groundwork","description":"Logs of applications, as a data stream","fingerprint":"@FINGERPRINT@"},
  "index_patterns": ["application-logs"]
}
`,
      },
      { path: "/groundwork/index-templates/application-logs.on-drift", content: "fail\n" },
    ]);
  });
});
