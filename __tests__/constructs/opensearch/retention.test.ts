import {
  OpenSearchCluster,
  OpenSearchInit,
  type Retention,
  RetentionPolicy,
} from "../../../constructs";
import { type DeclarationProps, type Declarations, declare } from "../../support/os-init";
import type { Json } from "../../support/platform";
import { networks, nodes, testStack } from "../../support/stack";

const policiesOf = (retention: Json) => RetentionPolicy.fromRetention(retention as Retention);

describe("the short form of retention", () => {
  test("rolls over at the first limit, and deletes days after the rollover", () => {
    const rule = { rollover: { sizeGiB: 10, days: 1, documents: 5 }, delete: { days: 30 } };
    const [{ name, body }] = policiesOf({ "logs-*": rule });
    expect(name).toBe("logs");
    expect(body).toEqual({
      description: "Retention of logs-*",
      default_state: "open",
      states: [
        {
          name: "open",
          actions: [{ rollover: { min_size: "10gb", min_index_age: "1d", min_doc_count: 5 } }],
          transitions: [{ state_name: "delete", conditions: { min_rollover_age: "30d" } }],
        },
        { name: "delete", actions: [{ delete: {} }], transitions: [] },
      ],
      ism_template: [{ index_patterns: ["logs-*"], priority: 5 }],
    });
  });

  test("deletes days after an index was created, without a rollover", () => {
    const [{ body }] = policiesOf({ "*": { delete: { days: 7 } } });
    expect(body.states[0]).toEqual({
      ...{ name: "open", actions: [] },
      transitions: [{ state_name: "delete", conditions: { min_index_age: "7d" } }],
    });
  });

  test("may only roll over, and has a policy for each pattern, of which the longer one applies", () => {
    const rollover = { days: 1 };
    const policies = policiesOf({ "a-*-b*": { rollover }, "a-*": { rollover }, "*": { rollover } });
    expect(policies.map(({ name }) => name)).toEqual(["a-b", "a", "all"]);
    expect(policies.map(({ body }) => body.ism_template?.[0].priority)).toEqual([4, 2, 0]);
    expect(policies[0].body.states).toEqual([
      { name: "open", actions: [{ rollover: { min_index_age: "1d" } }], transitions: [] },
    ]);
  });

  test("lets a rule say which of two patterns applies", () => {
    const rollover = { days: 1 };
    const policies = policiesOf({ "a-*": { rollover, priority: 0 }, "*-b": { rollover } });
    expect(policies.map(({ body }) => body.ism_template?.[0].priority)).toEqual([0, 2]);
  });

  test("refuses two policies with one name, and lets a rule have another name", () => {
    const rule = { delete: { days: 1 } };
    expect(() => policiesOf({ "logs-*": rule, a: rule, logs: rule, "*logs": rule })).toThrow(
      [
        'retention of "logs-*" and of "logs" have the same policy name "logs": add another name to the one that is not deployed yet, such as name: "logs-2"',
        'retention of "logs-*" and of "*logs" have the same policy name "logs": add another name to the one that is not deployed yet, such as name: "logs-2"',
      ].join("\n"),
    );
    const policies = policiesOf({ "logs-*": rule, logs: { ...rule, name: "logs-2" } });
    expect(policies.map(({ name }) => name)).toEqual(["logs", "logs-2"]);
    expect(() => policiesOf({ logs: { ...rule, name: "Logs/2" } })).toThrow(
      'letters, digits, ".", "_" and "-", starting with a letter or digit',
    );
    const [{ name }] = policiesOf({ logs: { ...rule, name: "Logs-2" } });
    expect(name).toBe("Logs-2");
  });

  test("has managed indices keep their version, unless a pattern says otherwise", () => {
    const policies = policiesOf({
      "a-*": { delete: { days: 1 } },
      "b-*": { delete: { days: 1 }, managedIndices: "change" },
    });
    expect(policies.map(({ managedIndices }) => managedIndices)).toEqual(["keep", "change"]);
  });

  test.each<[string, Json, string]>([
    [
      "is unknown",
      { "logs-*": { rollover: { sizeGb: 1 } } },
      'the retention of indices: logs-*.rollover has an unknown property "sizeGb": did you mean "sizeGiB"? allowed: sizeGiB, days, documents',
    ],
    [
      "is no number of days",
      { "logs-*": { delete: { days: 0.5 } } },
      "the retention of indices: logs-*.delete.days is 0.5: it must be a whole number from 1 to 106751991167",
    ],
    [
      "has no possible priority",
      { "logs-*": { delete: { days: 1 }, priority: -1 } },
      "the retention of indices: logs-*.priority is -1: it must be a whole number from 0 to 2147483647",
    ],
    [
      "is more than OpenSearch reads",
      { "logs-*": { rollover: { sizeGiB: 1e21, days: 106_751_991_168, documents: 2 ** 53 } } },
      [
        "the retention of indices: logs-*.rollover.sizeGiB is 1e+21: it must be a whole number from 1 to 8589934591",
        "the retention of indices: logs-*.rollover.days is 106751991168: it must be a whole number from 1 to 106751991167",
        "the retention of indices: logs-*.rollover.documents is 9007199254740992: it must be a whole number from 1 to 9007199254740991",
      ].join("\n"),
    ],
    [
      "matches no index",
      { "Logs-*": { delete: { days: 1 } } },
      'retention has the index pattern "Logs-*": index names are lowercase: write "logs-*"',
    ],
    [
      "does nothing",
      { "logs-*": {} },
      'retention of "logs-*" does nothing: add rollover or delete, such as { delete: { days: 30 } }, or remove it',
    ],
    [
      "rolls over without a limit",
      { "logs-*": { rollover: {} } },
      'retention of "logs-*" has a rollover without a limit, and would roll over at every run: add sizeGiB, days or documents',
    ],
  ])("is refused if something %s", (_, retention, message) => {
    expect(() => policiesOf(retention)).toThrow(message);
  });
});

const ROLLOVER = { "logs-*": { rollover: { days: 1 }, delete: { days: 30 } } };
const DELETE = { "logs-*": { delete: { days: 30 } } };
const STREAM = { index_patterns: ["logs-app-*"], data_stream: {} };

describe("a retention policy in the catalog", () => {
  const init = (retention: Retention, declarations: Declarations, props: DeclarationProps = {}) => {
    const scope = testStack();
    const cluster = new OpenSearchCluster(scope, "os", {
      ...networks(scope),
      nodes: nodes(scope, 1),
    });
    const declared = declare(declarations, props);
    const retentionPolicies = [
      ...declared.retentionPolicies,
      ...RetentionPolicy.fromRetention(retention, props),
    ];
    return () => new OpenSearchInit(scope, "init", { cluster, ...declared, retentionPolicies });
  };

  test("fails when it rolls over what is neither a data stream nor has a rollover alias", () => {
    const plain = { index_patterns: ["logs-*"] };
    expect(init(ROLLOVER, { "index-templates/plain": plain })).toThrow(
      'retention policy "logs" rolls over "logs-*", but no index template in the catalog makes a data stream of these indices or gives them a rollover alias, and OpenSearch rolls over nothing else: add "data_stream": {} to index template "plain", remove the rollover, or add "logs-*" to dataStreams in catalog/index.ts if the cluster has it',
    );
    expect(init(ROLLOVER, {})).toThrow(
      'OpenSearch rolls over nothing else: declare a data stream for "logs-*" in catalog/data-streams/, remove',
    );
  });

  test.each<[string, Declarations]>([
    ["a data stream", { "index-templates/app": STREAM }],
    [
      "a rollover alias",
      {
        "index-templates/logs": {
          index_patterns: ["logs-*"],
          template: {
            settings: { "index.plugins.index_state_management": { rollover_alias: "logs" } },
          },
        },
      },
    ],
    [
      "a rollover alias from a component template",
      {
        "index-templates/logs": { index_patterns: ["logs-*"], composed_of: ["base"] },
        "component-templates/base": {
          template: { settings: { plugins: { "index_state_management.rollover_alias": "logs" } } },
        },
      },
    ],
  ])("may roll over %s", (_, declarations) => {
    expect(init(ROLLOVER, declarations)).not.toThrow();
  });

  test("may roll over a data stream that the cluster has from elsewhere", () => {
    expect(init(ROLLOVER, {}, { dataStreams: ["logs-*"] })).not.toThrow();
  });

  test("fails when it deletes a data stream without a rollover, since its newest index cannot be deleted", () => {
    expect(init(DELETE, { "index-templates/app": STREAM })).toThrow(
      'retention policy "logs" deletes "logs-*" without a rollover, but index template "app" makes a data stream of it, whose newest index OpenSearch does not delete: add a rollover, such as { "days": 1 }',
    );
    const plain = { index_patterns: ["logs-*"], priority: 1 };
    expect(init(DELETE, { "index-templates/plain": plain })).not.toThrow();
  });

  test("fails when another one has the same priority and overlapping patterns, or the same name", () => {
    const other = {
      policy: {
        default_state: "open",
        states: [{ name: "open" }],
        ism_template: { index_patterns: ["logs-x*"], priority: 5 },
      },
    };
    expect(init(DELETE, { "retention/other": other })).toThrow(
      'retention policies "other" and "logs" both have priority 5, and their index patterns "logs-x*" and "logs-*" overlap, which OpenSearch rejects: give the more specific one a higher priority',
    );
    const excluding = (name: string, priority: number) => ({
      policy: {
        ...other.policy,
        ism_template: { index_patterns: [`${name}-*`, "-*-audit"], priority },
      },
    });
    const both = { "retention/a": excluding("a", 1), "retention/b": excluding("b", 1) };
    expect(init({}, both)).toThrow(
      'retention policies "a" and "b" both have priority 1, and their index patterns "-*-audit" and "-*-audit" overlap, which OpenSearch rejects',
    );
    expect(init({}, { ...both, "retention/b": excluding("b", 2) })).not.toThrow();
    const equal = { "a-*": { delete: { days: 1 } }, "*-b": { delete: { days: 1 } } };
    expect(init(equal, {})).toThrow(
      'retention policies "a" and "b" both have priority 2, and their index patterns "a-*" and "*-b" overlap',
    );
    expect(init({ ...equal, "*-b": { ...equal["*-b"], priority: 3 } }, {})).not.toThrow();
    const file = { "retention/logs": excluding("logs", 1) };
    expect(init(DELETE, file)).toThrow(
      'retention policy "logs" is declared twice: rename or remove one',
    );
    expect(init({ "logs-*": { ...DELETE["logs-*"], name: "logs-days" } }, file)).not.toThrow();
  });

  test("names one policy whose own templates have the same priority and overlapping patterns", () => {
    const ism_template = [{ index_patterns: ["logs-*"] }, { index_patterns: ["logs-x*"] }];
    const policy = { default_state: "open", states: [{ name: "open" }], ism_template };
    expect(init({}, { "retention/x": { policy } })).toThrow(
      'two templates of retention policy "x" both have priority 0, and their index patterns "logs-*" and "logs-x*" overlap, which OpenSearch rejects',
    );
  });

  test("fails for the backing indices of a data stream, of which OpenSearch compares the name of the stream", () => {
    const backing = { ".ds-logs-app-*": ROLLOVER["logs-*"] };
    expect(init(backing, { "index-templates/app": STREAM })).toThrow(
      'retention policy "ds-logs-app" has the pattern ".ds-logs-app-*", but OpenSearch compares the name of the data stream: write that, without ".ds-" and the number at its end',
    );
  });

  test("fails for hidden indices, which OpenSearch leaves out, unless they are of a data stream", () => {
    const rule = ROLLOVER["logs-*"];
    expect(init({ ".logs-*": { delete: { days: 1 } } }, {})).toThrow(
      'retention policy "logs" has the pattern ".logs-*", but OpenSearch applies policies to no hidden index that is not of a data stream: remove the pattern, or add ".logs-*" to dataStreams in catalog/index.ts if the cluster has such a data stream',
    );
    const stream = { index_patterns: [".logs-app"], data_stream: {} };
    expect(init({ ".logs-*": rule }, { "index-templates/app": stream })).not.toThrow();
    expect(init({ ".logs-*": rule }, {}, { dataStreams: [".logs-app"] })).not.toThrow();
  });

  describe("with a pattern that several index templates match", () => {
    const PLAIN = { index_patterns: ["logs-web-*"], priority: 1 };
    const both = { "index-templates/app": STREAM, "index-templates/web": PLAIN };
    const other = { ...both, "index-templates/api": { index_patterns: ["logs-api"], priority: 1 } };
    const ONES = 'index templates "api" (logs-api), "web" (logs-web-*)';

    test("fails to roll over those that are neither a data stream nor have a rollover alias", () => {
      expect(init(ROLLOVER, other)).toThrow(
        `retention policy "logs" rolls over "logs-*", but ${ONES} neither make a data stream of their indices nor give them a rollover alias, and OpenSearch rolls over nothing else: add "data_stream": {} to each, declare a policy with a higher priority for their patterns, or use a pattern that does not match them`,
      );
    });

    test("fails to delete those that are a data stream, and names the entry to add, not a rollover", () => {
      const streams = { "index-templates/app": STREAM };
      expect(init(DELETE, streams)).toThrow(
        'retention policy "logs" deletes "logs-*" without a rollover, but index template "app" makes a data stream of it, whose newest index OpenSearch does not delete: add a rollover, such as { "days": 1 }, declare a policy with a higher priority for their patterns, or use a pattern that does not match them',
      );
      const all = { "*": { delete: { days: 90 } } };
      const catalog = {
        "index-templates/application-logs": {
          index_patterns: ["application-logs"],
          data_stream: {},
          priority: 100,
        },
        "index-templates/logs_template": { index_patterns: ["logs-*"], priority: 100 },
      };
      expect(init(all, catalog)).toThrow(
        'retention policy "all" deletes "*" without a rollover, but index template "application-logs" makes a data stream of it, whose newest index OpenSearch does not delete: declare a policy with a higher priority for their patterns, such as "application-logs": { rollover: { days: 1 }, delete: { days: 30 } } in catalog/retention.ts, or use a pattern that does not match them',
      );
      const entry = { rollover: { days: 1 }, delete: { days: 30 } };
      expect(init({ ...all, "application-logs": entry }, catalog)).not.toThrow();
    });

    const excluding = { index_patterns: ["logs-*", "-logs-web-*"], priority: 5 };
    test.each<[string, Retention, Declarations, DeclarationProps]>([
      [
        "another policy with a higher priority has the others",
        { "logs-web-*": DELETE["logs-*"] },
        both,
        {},
      ],
      [
        "a data stream that the cluster has is one of the others",
        {},
        both,
        { dataStreams: ["logs-web-*"] },
      ],
      [
        "a template with a higher priority has all of the pattern",
        {},
        {
          "index-templates/all": { index_patterns: ["l*"] },
          "index-templates/logs": { ...STREAM, index_patterns: ["logs-*"], priority: 9 },
        },
        {},
      ],
    ])("may roll over if %s", (_, more, declarations, props) => {
      expect(init({ ...ROLLOVER, ...more }, declarations, props)).not.toThrow();
    });

    test("may roll over if it excludes the others", () => {
      const states = [{ name: "open", actions: [{ rollover: { min_index_age: "1d" } }] }];
      const policy = { default_state: "open", states, ism_template: excluding };
      expect(init({}, { ...both, "retention/logs": { policy } })).not.toThrow();
      const all = { ...policy, ism_template: { ...excluding, index_patterns: ["logs-*"] } };
      expect(init({}, { ...both, "retention/logs": { policy: all } })).toThrow(/"web"/);
    });

    test("may delete if another policy rolls over the data stream", () => {
      expect(init({ ...DELETE, "logs-app-*": ROLLOVER["logs-*"] }, both)).not.toThrow();
    });

    test("is not left to a policy with a higher priority that has only some of the others", () => {
      expect(init({ ...ROLLOVER, "logs-web-a*": DELETE["logs-*"] }, both)).toThrow(/"web"/);
      const lower = { "logs-web-*": { ...DELETE["logs-*"], priority: 1 } };
      expect(init({ ...ROLLOVER, ...lower }, both)).toThrow(/"web"/);
    });
  });
});
