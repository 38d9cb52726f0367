import { convertTemplate, templateIn } from "../../../operations/import/index-template";

const LEGACY = {
  index_patterns: ["logstash-*"],
  order: 3,
  settings: { index: { refresh_interval: "5s", lifecycle: { name: "policy" } } },
  mappings: { doc: { properties: { a: { type: "keyword" } } } },
};

test("a legacy template becomes a composable one, without settings that only Elasticsearch has", () => {
  expect(convertTemplate(LEGACY, "logstash", [])).toEqual({
    body: {
      index_patterns: ["logstash-*"],
      priority: 3,
      template: {
        settings: { index: { refresh_interval: "5s" } },
        mappings: { properties: { a: { type: "keyword" } } },
      },
    },
    changes: ["legacy template -> composable template"],
    lost: ["setting index.lifecycle, which only Elasticsearch has"],
  });
});

test("what OpenSearch would refuse is left out, and named", () => {
  const { body, lost } = convertTemplate(
    {
      index_patterns: ["logs-*", "Logs-*"],
      composed_of: ["base"],
      allow_auto_create: true,
      version: "v1",
      template: { lifecycle: {}, settings: { "index.lifecycle.name": "x" } },
    },
    "logs",
    [],
  );
  expect(body).toEqual({ index_patterns: ["logs-*"], template: { settings: {} } });
  expect(lost).toEqual([
    'composed_of "base": add that component template to catalog/component-templates/ and import this one again, or copy its settings and mappings into template',
    'index pattern "Logs-*": index names are lowercase: write "logs-*"',
    "allow_auto_create, which OpenSearch does not have",
    "template.lifecycle, which OpenSearch does not have",
    'version "v1", which is no whole number',
    "setting index.lifecycle.name, which only Elasticsearch has",
  ]);
  expect(() => convertTemplate({ index_patterns: ["A"] }, "a", [])).toThrow(
    'a has no index pattern that OpenSearch accepts: index pattern "A": index names are lowercase: write "a"',
  );
});

test("component templates that are declared stay, in their order", () => {
  const given = { index_patterns: ["logs-*"], composed_of: ["b", "gone", "a"] };
  const { body, lost } = convertTemplate(given, "logs", [], ["a", "b"]);
  expect(body.composed_of).toEqual(["b", "a"]);
  expect(lost).toEqual([
    'composed_of "gone": add that component template to catalog/component-templates/ and import this one again, or copy its settings and mappings into template',
  ]);
});

test("a template that overlaps another one of its priority gets the next free one", () => {
  const others = [
    { name: "all", body: { index_patterns: ["log*"], priority: 3 } },
    { name: "more", body: { index_patterns: "logstash-*", priority: "4" } },
    { name: "apart", body: { index_patterns: ["metrics-*"], priority: 5 } },
  ];
  const { body, changes } = convertTemplate(LEGACY, "logstash", others);
  expect(body.priority).toBe(5);
  expect(changes).toContain("priority 3 -> 5, since all has the same");
});

test("templates are found in files and in OpenSearch's responses", () => {
  const body = { index_patterns: ["a"] };
  expect(templateIn(body)).toEqual({ body });
  expect(templateIn({ template: "a-*" })).toEqual({ body: { template: "a-*" } });
  expect(templateIn({ logs: body })).toEqual({ name: "logs", body });
  expect(templateIn({ index_templates: [{ name: "logs", index_template: body }] })).toEqual({
    name: "logs",
    body,
  });
  expect(templateIn({ a: 1 })).toBeUndefined();
});
