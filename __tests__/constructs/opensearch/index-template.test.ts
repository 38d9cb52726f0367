import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IndexTemplate, OpenSearchCluster, OpenSearchInit } from "../../../constructs";
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
      '{"index_patterns": ["a-*"], "mappings": {}}',
      /t\.json has an unknown property "mappings": allowed: index_patterns, priority, template/,
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
    const preferred = load(JSON.stringify({ index_patterns: [b], priority: 1 }), "b.json");
    expect(() => declare(first, preferred)).not.toThrow();
  });

  test("fails when it is declared twice", () => {
    const template = load('{"index_patterns": ["a-*"]}');
    expect(() => declare(template, template)).toThrow(
      'index template "t" is declared twice: rename or remove one (at test/init)',
    );
  });
});
