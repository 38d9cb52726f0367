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
      'lowercase letters, digits, ".", "_" and "-", starting with a letter or digit',
    );
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
      "the retention of indices: logs-*.delete.days is 0.5: it must be a whole number of at least 1",
    ],
    [
      "has no possible priority",
      { "logs-*": { delete: { days: 1 }, priority: -1 } },
      "the retention of indices: logs-*.priority is -1: it must be a whole number of at least 0",
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
      'OpenSearch rolls over nothing else: add an index template for "logs-*" with "data_stream": {}, remove',
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
});
