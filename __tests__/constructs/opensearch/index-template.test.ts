import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IndexTemplate, OpenSearchCluster, OpenSearchInit } from "../../../constructs";
import { messageOf } from "../../support/message";
import { networks, nodes, testStack } from "../../support/stack";

describe("an index template", () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "templates-"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const load = (text: string, name = "t.json") => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return IndexTemplate.fromFile(path);
  };

  test.each([
    [
      "is not JSON, with file and line",
      '{\n  "index_patterns": [\n}',
      /t\.json:3:1 is invalid JSON: ValueExpected/,
    ],
    ["is not an object", "[]", /t\.json must be a JSON object/],
    [
      "has no patterns",
      '{"template": {}}',
      /t\.json has no index_patterns: list the index names that it applies to, such as \["logs-\*"\]/,
    ],
    [
      "has an unknown key",
      '{"index_patterns": ["a-*"], "setting": {}}',
      /t\.json has an unknown property "setting": allowed: index_patterns, priority, template/,
    ],
    [
      "has an unknown key inside",
      '{"index_patterns": ["a-*"], "template": {"mapping": {}}}',
      /t\.json: template has an unknown property "mapping": did you mean "mappings"\? allowed: settings, mappings, aliases$/,
    ],
    [
      "has a pattern that no index can match",
      '{"index_patterns": ["a-*", "Logs-*", "a?"]}',
      /^index template .*t\.json has the index pattern "Logs-\*": index names are lowercase: write "logs-\*"\nindex template .*t\.json has the index pattern "a\?": index names contain no "\?": use lowercase letters, digits, "\.", "_" and "-", and "\*" for any characters$/,
    ],
    [
      "has a version that is no number",
      '{"index_patterns": ["a-*"], "version": "v1", "priority": -1}',
      /^index template .*t\.json has the version "v1": use a whole number, such as 1\nindex template .*t\.json has the priority -1: use a whole number, such as 1$/,
    ],
    [
      "has a part that is no object",
      '{"index_patterns": ["a-*"], "template": 7, "_meta": []}',
      /^index template .*t\.json has _meta \[\]: it must be an object\nindex template .*t\.json has template 7: it must be an object$/,
    ],
  ])("fails when it %s", (_, text, message) => {
    expect(() => load(text)).toThrow(message);
  });

  test.each([
    [
      "the same property twice",
      '{\n  "index_patterns": ["a-*"],\n  "template": {\n    "mappings": {},\n    "mappings": {}\n  }\n}',
      /t\.json:5:5 repeats the key "mappings" of 4:5: remove one, since JSON keeps only the last$/,
    ],
    [
      "a number that would be another one",
      '{"index_patterns": ["a-*"], "version": 9223372036854775807}',
      /t\.json:1:40 has the number 9223372036854775807, which is read as 9223372036854775808: write it as a string, "9223372036854775807"$/,
    ],
  ])("fails with %s, of which a part would be lost silently", (_, text, message) => {
    expect(() => load(text)).toThrow(message);
  });

  test("of the legacy kind without patterns fails for those first, and offers no import, which needs them", () => {
    const message = messageOf(() => load(JSON.stringify({ settings: { number_of_shards: 1 } })));
    expect(message).toMatch(
      /^index template .*t\.json has no index_patterns: list the index names that it applies to, such as \["logs-\*"\]\. It is a legacy template, too: move settings, mappings and aliases into "template"$/,
    );
  });

  test("of the legacy kind fails, with its composable form", () => {
    const legacy = {
      template: "logstash-*",
      order: 5,
      version: 60001,
      settings: { "index.refresh_interval": "5s" },
      mappings: { _doc: { properties: { message: { type: "text" } } } },
      aliases: { logs: {} },
    };
    const message = messageOf(() => load(JSON.stringify(legacy)));
    const [line, ...form] = message.split("\n");
    expect(line).toMatch(
      /^index template .*t\.json is a legacy template, which has less precedence than any composable one: replace it, or run npm run import -- .*t\.json --replace; as a composable template, it is$/,
    );
    const composable = JSON.parse(form.join("\n"));
    expect(composable).toEqual({
      index_patterns: ["logstash-*"],
      priority: 5,
      version: 60001,
      template: {
        settings: { "index.refresh_interval": "5s" },
        mappings: { properties: { message: { type: "text" } } },
        aliases: { logs: {} },
      },
    });
    expect(load(JSON.stringify(composable)).body).toEqual(composable);
  });

  test("may have its pattern as a text, and numbers as texts", () => {
    expect(load('{"index_patterns": "logs-*", "version": "7", "priority": "9"}').body).toEqual({
      index_patterns: ["logs-*"],
      version: "7",
      priority: "9",
    });
  });

  test.each([
    [
      "UTF-16",
      Buffer.from('\uFEFF{"index_patterns": ["a-*"]}', "utf16le"),
      /^index template .*t\.json is UTF-16: save it as UTF-8, such as with cp -p .* && iconv -f UTF-16 -t UTF-8 /,
    ],
    [
      "ISO 8859-1",
      Buffer.from('{"index_patterns": ["ü-*"]}', "latin1"),
      /^index template .*t\.json is not UTF-8: save it as UTF-8, such as with cp -p .* && iconv -f ISO-8859-1 /,
    ],
  ])("fails in %s", (_, bytes, message) => {
    const path = join(directory, "t.json");
    writeFileSync(path, bytes);
    expect(() => IndexTemplate.fromFile(path)).toThrow(message);
  });

  test("fails when a file beside it is not read", () => {
    const folder = mkdtempSync(join(tmpdir(), "templates-"));
    writeFileSync(join(folder, "logs.json5"), "");
    expect(() => IndexTemplate.fromDirectory(folder)).toThrow(
      /^.*logs\.json5 is not read, since files with an index template end with \.json: rename it, or move it out of templates-/,
    );
    rmSync(folder, { recursive: true });
  });

  test("may repeat a property name in different objects, and have exact numbers", () => {
    const text =
      '{"index_patterns": ["a-*"], "version": 9007199254740992, "template": {"settings": {"a": 1e3}, "mappings": {"a": 0.1, "template": -7}}}';
    expect(load(text).body).toEqual(JSON.parse(text));
  });

  test("fails with a name that OpenSearch rejects", () => {
    expect(() => load('{"index_patterns": ["a"]}', "Logs.json")).toThrow(
      /the name "Logs" is invalid: use lowercase letters/,
    );
  });

  const declare = (...indexTemplates: IndexTemplate[]) => {
    const scope = testStack();
    const cluster = new OpenSearchCluster(scope, "os", {
      ...networks(scope),
      nodes: nodes(scope, 1),
    });
    return new OpenSearchInit(scope, "init", {
      cluster,
      indexTemplates,
    });
  };

  test.each([
    ["logs-*", "logs-app-*", true],
    ["*-app", "logs-*", true],
    ["logs-*-a", "logs-b*", true],
    ["logs-app", "logs-app", true],
    ["*", "anything", true],
    ["logs-*", "metrics-*", false],
    ["logs-*-a", "logs-*-b", false],
    ["logs", "logs-*", false],
  ])("patterns %s and %s with the same priority overlap: %s", (a, b, both) => {
    const [first, second] = [a, b].map((pattern, i) =>
      load(JSON.stringify({ index_patterns: [pattern] }), `${"ab"[i]}.json`),
    );
    const declaring = expect(() => declare(first, second));
    if (both) {
      declaring.toThrow(
        `index templates a.json and b.json both have priority 0, and their index patterns "${a}" and "${b}" overlap, which OpenSearch rejects: give the more specific one a higher priority (at test/init)`,
      );
    } else {
      declaring.not.toThrow();
    }
    const alike = load(JSON.stringify({ index_patterns: [b], priority: "0" }), "b.json");
    if (both) {
      expect(() => declare(first, alike)).toThrow("both have priority 0");
    }
    const preferred = load(JSON.stringify({ index_patterns: [b], priority: 1 }), "b.json");
    expect(() => declare(first, preferred)).not.toThrow();
  });

  test("fails when it is declared twice", () => {
    const template = load('{"index_patterns": ["a-*"]}');
    expect(messageOf(() => declare(template, template))).toBe(
      'index template "t" is declared twice: rename or remove one, in catalog/data-streams/ or catalog/index-templates/ (at test/init)',
    );
  });
});
