import fc from "fast-check";
import { OpenSearchNode } from "../../support/open-search-node";
import { runOsInit } from "../../support/os-init";
import type { Json } from "../../support/platform";
import { exitLine, linesOf } from "../../support/sidecar";
import { templateBodies } from "../../support/template-spellings";

const node = new OpenSearchNode();
const ask: OpenSearchNode["ask"] = (...request) => node.ask(...request);

const provision = (name: string, body: Json) => provisionAll({ [name]: body });

const provisionAll = (bodies: Readonly<Record<string, Json>>) =>
  runOsInit(
    node.url,
    Object.fromEntries(
      Object.entries(bodies).map(([name, body]) => [`index-templates/${name}`, body]),
    ),
    { nodes: 1, componentTemplates: ["base", "nowhere"] },
  );

beforeAll(async () => {
  await node.start();
  await ask("PUT", "/_component_template/base", {
    template: { settings: { refresh_interval: "5s" } },
  });
});

afterAll(() => node.remove());

const TEMPLATES: Record<string, Json> = {
  "settings-without-index": {
    template: { settings: { number_of_shards: 1, number_of_replicas: "0" } },
  },
  "settings-mixed": {
    template: {
      settings: {
        index: { number_of_shards: 1 },
        "index.number_of_replicas": 0,
        refresh_interval: "5s",
        hidden: "true",
      },
    },
  },
  "dotted-property": {
    template: {
      mappings: { properties: { "a.b": { type: "keyword" }, "a.c.d": { type: "long" } } },
    },
  },
  "default-format": {
    template: {
      mappings: {
        properties: {
          at: {
            type: "date",
            format: "strict_date_time_no_millis||strict_date_optional_time||epoch_millis",
          },
          text: { type: "text", index: "true", norms: true },
        },
      },
    },
  },
  "dynamic-templates": {
    template: {
      mappings: {
        dynamic_templates: [
          {
            "ids of all": {
              match: "*_id",
              match_mapping_type: "string",
              mapping: { type: "keyword" },
            },
          },
          { typed: { path_match: "a.*", mapping: { type: "{dynamic_type}" } } },
        ],
      },
    },
  },
  aliases: {
    template: {
      aliases: {
        everything: {},
        errors: { filter: { term: { level: "error" } }, routing: "1", is_write_index: false },
        "all-{index}": {},
      },
    },
  },
  "data-stream": { data_stream: {}, template: {} },
  composed: { composed_of: ["base"], template: { settings: { number_of_replicas: 0 } } },
  meta: {
    version: "7",
    priority: "901",
    _meta: {
      deep: { list: [1, [2, [3]], [], { none: null }], empty: {} },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what Terraform would expand
      text: 'say "hi" \\ / \t\n\u0001 Grüße 日本 😀 ${x} %{y} $${z} @FINGERPRINT@',
      numbers: [1.5, 1e-7, 1e21, -0.25, Number.MAX_SAFE_INTEGER],
      ...{
        "a b": 1,
        "a=b": 2,
        "a.b": 3,
        "a[0]": 4,
        'x" : "y': 5,
        "": 6,
        "}": "]",
        "{": "[",
        back: "\\",
      },
    },
  },
  "without-template": {},
  "empty-objects": { _meta: {}, template: { settings: {}, mappings: {}, aliases: {} } },
  "null-setting": { template: { settings: { refresh_interval: null } } },
  "odd-mappings": {
    template: {
      mappings: {
        _meta: { owner: "x", "a.b": [] },
        _source: { excludes: ["a.*"] },
        dynamic_date_formats: ["yyyy", "MM"],
        properties: {
          off: { type: "object", enabled: false },
          "with space": { type: "keyword" },
          "e=q": { type: "keyword" },
          alias: { type: "alias", path: "e=q" },
        },
      },
    },
  },
  "long-list": {
    _meta: { list: Array.from({ length: 3000 }, (_, i) => i) },
    template: {
      settings: { "index.query.default_field": Array.from({ length: 500 }, (_, i) => `f${i}`) },
    },
  },
  wildcards: { index_patterns: ["wild-*-x-*-*", "*-wild"] },
  "hidden-pattern": { index_patterns: [".hidden-*"], template: { aliases: { "h-{index}": {} } } },
  "odd-pattern": { index_patterns: ["журнал-_+&=%41[x]{y}@!-*"] },
  "overlapped-low": {
    index_patterns: ["over-*"],
    priority: 1,
    template: { settings: { number_of_replicas: 0 } },
  },
  "overlapped-high": {
    index_patterns: ["over-lap-*"],
    priority: 2,
    template: { settings: { number_of_replicas: 2 } },
  },
  "extra-mappers": {
    template: {
      mappings: {
        properties: {
          big: { type: "scaled_float", scaling_factor: 100 },
          rank: { type: "rank_feature" },
          typed: { type: "search_as_you_type" },
          parent: { type: "join", relations: { question: "answer" } },
          query: { type: "percolator" },
        },
      },
    },
  },
  analysis: {
    template: {
      settings: {
        analysis: {
          filter: {
            words: { type: "stop", stopwords: ["a", "b"] },
            stems: { type: "snowball", language: "German" },
          },
          analyzer: {
            german: {
              type: "custom",
              tokenizer: "standard",
              filter: ["lowercase", "words", "stems"],
            },
          },
        },
      },
      mappings: { properties: { text: { type: "text", analyzer: "german" } } },
    },
  },
  // About a megabyte in OpenSearch's format.
  large: {
    template: {
      settings: { "index.mapping.total_fields.limit": 50_000 },
      mappings: {
        properties: Object.fromEntries(
          Array.from({ length: 10_000 }, (_, i) => [
            `field_${i}`,
            { type: "keyword", ignore_above: 256, fields: { text: { type: "text" } } },
          ]),
        ),
      },
    },
  },
};

test.each(Object.entries(TEMPLATES).map(([name, fields], i) => [name, fields, i] as const))(
  "os-init creates template %s and then finds it unchanged",
  async (name, fields, i) => {
    const body = { index_patterns: [`${name}-*`], priority: 100 + i, ...fields };
    const created = await provision(name, body);
    expect(linesOf(created, "drift")).toEqual([]);
    expect(exitLine(created)).toMatchObject({ exit_code: 0, reason: "done", created: 1 });
    const again = await provision(name, body);
    expect(linesOf(again, "drift")).toEqual([]);
    expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: 1 });
  },
);

test("os-init names exactly the fields that were edited on the server", async () => {
  const body = {
    index_patterns: ["edited-*"],
    template: {
      settings: { number_of_replicas: 1 },
      mappings: { properties: { "a.b": { type: "keyword" } } },
    },
    _meta: { "team.name": "x" },
  };
  await provision("edited", body);
  const [, { index_templates }] = await ask("GET", "/_index_template/edited");
  const edited = index_templates[0].index_template;
  edited.template.settings.index.number_of_replicas = 0;
  edited.template.mappings.properties["a.b"].ignore_above = 10;
  edited._meta["team.name"] = "y";
  expect(await ask("PUT", "/_index_template/edited", edited)).toEqual([
    200,
    { acknowledged: true },
  ]);
  const run = await provision("edited", body);
  expect(
    linesOf(run, "drift").map(({ field, declared, actual }) => [field, declared, actual]),
  ).toEqual([
    ['_meta["team.name"]', '"x"', '"y"'],
    ["template.mappings.properties.a.properties.b.ignore_above", "absent", "10"],
    ["template.settings.index.number_of_replicas", '"1"', '"0"'],
  ]);
  expect(exitLine(run).exit_code).toBe(73);
});

test.each<[string, Json, string]>([
  [
    "an unknown type",
    {
      template: { mappings: { properties: { big: { type: "scaled_flaot", scaling_factor: 10 } } } },
    },
    "index template rejected: OpenSearch rejects it: No handler for type [scaled_flaot] declared on field [big] (Failed to parse mapping [_doc]; invalid composite mappings for [rejected]; composable template [rejected] template after composition is invalid): HTTP 400",
  ],
  [
    "an unknown setting",
    { template: { settings: { numbr_of_shards: 1 } } },
    "index template rejected: OpenSearch rejects it: unknown setting [index.numbr_of_shards]",
  ],
  [
    "a missing component template",
    { composed_of: ["nowhere"] },
    "index template rejected: OpenSearch rejects it: index_template [rejected] invalid, cause [index template [rejected] specifies component templates [nowhere] that do not exist]: HTTP 400",
  ],
])("os-init says why OpenSearch rejects a template with %s", async (_name, fields, reason) => {
  const run = await provision("rejected", { index_patterns: ["rejected-*"], ...fields });
  expect(exitLine(run)).toMatchObject({ exit_code: 65, reason: expect.stringContaining(reason) });
});

test("the lab's OpenSearch runs scripts, ingest pipelines and reindex as the official image does", async () => {
  const processors = [
    { set: { field: "seen", value: "{{name}}" } },
    { script: { source: "ctx.doubled = ctx.n * 2" } },
    { user_agent: { field: "agent" } },
    { geoip: { field: "ip" } },
  ];
  expect(await ask("PUT", "/_ingest/pipeline/all", { processors })).toEqual([
    200,
    { acknowledged: true },
  ]);
  const document = { name: "a", n: 2, agent: "curl/8.5.0", ip: "8.8.8.8" };
  const [status] = await ask("PUT", "/source/_doc/1?pipeline=all&refresh=true", document);
  expect(status).toBe(201);
  const [, reindexed] = await ask("POST", "/_reindex?refresh=true", {
    source: { index: "source" },
    dest: { index: "target" },
  });
  expect(reindexed).toMatchObject({ created: 1, failures: [] });
  const [, stored] = await ask("GET", "/target/_doc/1");
  expect(stored._source).toMatchObject({
    seen: "a",
    doubled: 4,
    user_agent: { name: "curl" },
    geoip: { country_iso_code: "US" },
  });
});

const templates = fc.record(
  {
    template: templateBodies,
    composed_of: fc.constantFrom([], ["base"]),
    version: fc.constantFrom(3, "4"),
    _meta: fc.constantFrom({}, { owner: "x", deep: { list: [1, "2", null] } }),
  },
  { requiredKeys: [] },
);

/** A data stream has no aliases, and OpenSearch decides on its field `@timestamp`. */
const streams = fc
  .tuple(templates, fc.constantFrom({}, { timestamp_field: { name: "@timestamp" } }))
  .map(([{ template: { aliases: _, mappings = {}, ...template } = {}, ...body }, data_stream]) => {
    const { "@timestamp": __, ...properties } = (mappings as Json).properties ?? {};
    return {
      ...body,
      data_stream,
      template: { ...template, mappings: { ...mappings, properties } },
    };
  });

let made = 0;

test.each<[string, fc.Arbitrary<Json>]>([
  ["template", templates],
  ["template of data streams", streams],
])(
  "os-init creates a %s in any spelling that OpenSearch accepts, and then finds it unchanged",
  (_, any) =>
    fc.assert(
      fc.asyncProperty(fc.array(any, { minLength: 10, maxLength: 20 }), async (some) => {
        const bodies = Object.fromEntries(
          some.map((body): [string, Json] => {
            const name = `made-${made++}`;
            return [name, { index_patterns: [`${name}-*`], priority: 1000, ...body }];
          }),
        );
        const created = await provisionAll(bodies);
        expect(linesOf(created, "drift")).toEqual([]);
        expect(exitLine(created)).toMatchObject({ exit_code: 0, created: some.length });
        const again = await provisionAll(bodies);
        expect(linesOf(again, "drift")).toEqual([]);
        expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: some.length });
      }),
      { numRuns: 3, endOnFailure: true },
    ),
);
