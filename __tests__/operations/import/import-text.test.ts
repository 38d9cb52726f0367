import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dashboard, DataStream, IndexTemplate, readAlertGroups } from "../../../constructs";
import {
  type ImportOptions,
  importText,
  STANDARD_INPUT,
} from "../../../operations/import/import-text";

const DASHBOARD = JSON.stringify({
  uid: "node",
  title: "Node Exporter",
  schemaVersion: 39,
  panels: [{ type: "stat", title: "Up", targets: [{ refId: "A", expr: "up" }] }],
});
const RULES = "groups: [{ name: node, rules: [{ alert: Down, expr: up == 0 }] }]";
const TEMPLATE = JSON.stringify({ index_patterns: "Logstash-*".toLowerCase(), settings: {} });
const STREAM = JSON.stringify({ index_patterns: ["shop-logs"], data_stream: {} });

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "import-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const run = (text: string, source: string, options: Partial<ImportOptions> = {}) => {
  const { what, files } = importText(root, text, source, { replace: false, ...options });
  return [what, ...files.keys()];
};

test("the content decides what it is, and the synth accepts what is written", () => {
  expect(run(DASHBOARD, "/tmp/Node Exporter_rev3.json")).toEqual([
    'dashboard "Node Exporter"',
    "dashboards/Imported/node-exporter-rev3.json",
  ]);
  expect(run(RULES, "alerts.yaml")).toEqual([
    "1 alert",
    "alerts/alerts.yml",
    "docs/runbooks/Down.md",
  ]);
  expect(run(TEMPLATE, "Logstash.Template.json")).toEqual([
    'index template "logstash.template"',
    "catalog/index-templates/logstash.template.json",
  ]);
  expect(run(STREAM, "shop-logs.json")).toEqual([
    'index template "shop-logs"',
    "catalog/data-streams/shop-logs.json",
  ]);
  expect(Dashboard.fromDirectory(join(root, "dashboards"))[0]).toMatchObject({
    uid: "node",
    folder: "Imported",
  });
  expect(readAlertGroups(join(root, "alerts"), root)[0].rules[0].alert).toBe("Down");
  expect(IndexTemplate.fromDirectory(join(root, "catalog", "index-templates"))[0].name).toBe(
    "logstash.template",
  );
  expect(DataStream.fromDirectory(join(root, "catalog", "data-streams"))[0].name).toBe("shop-logs");
});

test.each([
  ["a dashboard", DASHBOARD],
  ["rules", RULES],
  ["an index template", TEMPLATE],
])("%s may start with a byte order mark, which some editors write", (_, text) => {
  expect(run(`\uFEFF${text}`, "a.txt")[1]).toBe(run(text, "a.txt", { replace: true })[1]);
});

test("folder and name can be given, and standard input has a name of its content", () => {
  expect(run(DASHBOARD, STANDARD_INPUT)[1]).toBe("dashboards/Imported/node-exporter.json");
  expect(run(TEMPLATE, STANDARD_INPUT)[1]).toBe("catalog/index-templates/logstash.json");
  expect(run(RULES, STANDARD_INPUT, { folder: "team" })[1]).toBe("alerts/team/imported.yml");
  expect(run(DASHBOARD, "a.json", { folder: "Hosts", name: "node" })[1]).toBe(
    "dashboards/Hosts/node.json",
  );
});

test.each([
  [DASHBOARD, "a.json", "dashboards/Imported/a.json"],
  [RULES, "a.yml", "alerts/a.yml"],
  [TEMPLATE, "a.json", "catalog/index-templates/a.json"],
  [STREAM, "a.json", "catalog/data-streams/a.json"],
])("an existing file is only replaced with --replace", (text, source, path) => {
  run(text, source);
  writeFileSync(join(root, path), "mine");
  expect(() => run(text, source)).toThrow(
    `${path} already exists: replace it with --replace, or choose another name with --name`,
  );
  expect(readFileSync(join(root, path), "utf8")).toBe("mine");
  run(text, source, { replace: true });
  expect(readFileSync(join(root, path), "utf8")).not.toBe("mine");
});

test.each([
  [DASHBOARD, "dashboards/Team A/Kafka_1.json"],
  [RULES, "alerts/team/node.yaml"],
  [TEMPLATE, "catalog/index-templates/team/logs.json"],
  [STREAM, "catalog/index-templates/team/logs.json"],
  [STREAM, "catalog/data-streams/team/logs.json"],
])("a file of the project is adapted where it is", (text, path) => {
  const source = join(root, path);
  mkdirSync(join(source, ".."), { recursive: true });
  writeFileSync(source, text);
  expect(() => run(text, source)).toThrow(`${path} already exists: replace it with --replace`);
  expect(run(text, source, { replace: true })[1]).toBe(path);
  expect(run(text, source, { name: "other" })[1]).not.toBe(path);
});

test("a file in catalog/data-streams/ without data_stream is refused there", () => {
  const source = join(root, "catalog", "data-streams", "logs.json");
  mkdirSync(join(source, ".."), { recursive: true });
  writeFileSync(source, TEMPLATE);
  expect(() => run(TEMPLATE, source, { replace: true })).toThrow(
    'index template catalog/data-streams/logs.json has no data_stream: add "data_stream": {}, or move the file to catalog/index-templates/',
  );
  expect(readFileSync(source, "utf8")).toBe(TEMPLATE);
});

test("templates in both folders of index templates are compared by name and priority", () => {
  run(STREAM, "logs.json");
  const other = (name: string) =>
    importText(root, JSON.stringify({ index_patterns: ["shop-*"] }), name, { replace: true });
  expect(() => other("logs.json")).toThrow(
    'catalog/data-streams/logs.json declares index template "logs" too: remove it, or choose another name with --name',
  );
  expect(other("shop.json").changes).toEqual(["priority 0 -> 1, since logs has the same"]);
  expect(() => run(STREAM, "shop.json", { replace: true })).toThrow(
    'catalog/index-templates/shop.json declares index template "shop" too: remove it, or',
  );
});

test("a runbook that exists is never replaced", () => {
  mkdirSync(join(root, "docs", "runbooks"), { recursive: true });
  writeFileSync(join(root, "docs", "runbooks", "Down.md"), "mine");
  expect(run(RULES, "a.yml", { replace: true })).toEqual(["1 alert", "alerts/a.yml"]);
  expect(readFileSync(join(root, "docs", "runbooks", "Down.md"), "utf8")).toBe("mine");
});

test("the same dashboard in another folder gets another uid, and none of its title in one folder", () => {
  run(DASHBOARD, "a.json");
  const { files, changes } = importText(root, DASHBOARD, "a.json", {
    replace: false,
    folder: "Other",
  });
  const { uid } = JSON.parse(files.get("dashboards/Other/a.json") as string);
  expect(uid).toMatch(/^node-[0-9a-f]{8}$/);
  expect(changes).toContain(`uid node, which is taken -> ${uid}`);
  expect(Dashboard.fromDirectory(join(root, "dashboards"))).toHaveLength(2);
  expect(() => run(DASHBOARD, "b.json")).toThrow(
    'dashboards/Imported/a.json has the title "Node Exporter" too: choose another folder with --folder, or its name with --name a --replace',
  );
});

test.each([
  [
    "{}",
    "a.json is not recognized: it is neither a Grafana dashboard (panels), nor a Prometheus rule file (groups with rules), nor an index template (index_patterns)",
  ],
  ["text", "a.json is not recognized: "],
  ['{"panels": [', "a.json:1:13 is invalid JSON: "],
  ["groups:\n  - [a\n", "a.json:3:1 is not valid YAML: "],
  ['{"panels": [null]}', "a.json: panels[0] is null: it must be an object"],
  ['{"rows": [null]}', "a.json: rows[0] is null: it must be an object"],
  ['{"index_templates": {"a": 1}}', "a.json is not recognized: "],
  ['{"index_templates": [{"name": 1, "index_template": true}]}', "1 has no index pattern"],
  ['{"__inputs": 1, "panels": []}', "a.json has no panels: nothing is imported"],
  ["groups: [{ rules: [5] }]", "- a rule has neither alert nor record"],
  ['{"index_patterns": [""]}', "a has no index pattern that OpenSearch accepts: "],
])("%j is refused, and nothing is written", (text, message) => {
  expect(() => run(text, "a.json")).toThrow(message);
  expect(existsSync(join(root, "dashboards"))).toBe(false);
});

test.each([
  [{ folder: "../x" }, '--folder is "../x": use a name without "/" that does not start with "."'],
  [{ name: ".x" }, '--name is ".x": use a name without "/" that does not start with "."'],
])("%j is refused", (options, message) => {
  expect(() => run(DASHBOARD, "a.json", options)).toThrow(message);
});
