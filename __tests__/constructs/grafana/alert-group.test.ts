// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Terraform's templates are written so.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Testing } from "cdktf";
import { type AlertGroup, readAlertGroups } from "../../../constructs";
import { RuleGroup } from "../../../constructs/grafana/rule-group";
import { messageOf } from "../../support/message";
import type { Json } from "../../support/platform";
import { testStack } from "../../support/stack";

describe("a file of rules", () => {
  let root: string;
  let directory: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "alerts-"));
    writeFileSync(join(root, "page.md"), "");
    directory = join(root, "alerts");
    mkdirSync(directory);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const rule = (change: object = {}) => ({
    alert: "Sound",
    expr: "up == 0",
    labels: { severity: "info" },
    annotations: { summary: "It is down", runbook: "page.md" },
    ...change,
  });
  const read = (text: string | Buffer) => {
    writeFileSync(join(directory, "rules.yml"), text);
    return readAlertGroups(directory, root);
  };
  const readRule = (change: object, group: object = {}) =>
    read(
      JSON.stringify({ groups: [{ name: "g", interval: "1m", rules: [rule(change)], ...group }] }),
    );

  const render = (group: AlertGroup): Json => {
    const scope = testStack();
    new RuleGroup(scope, "group", { group, folderUid: "f", dataSourceUid: "prometheus" });
    return Object.values(JSON.parse(Testing.synth(scope)).resource.grafana_rule_group)[0];
  };

  test("is read unchanged", () => {
    expect(readRule({})).toEqual([{ name: "g", interval: "1m", rules: [rule()] }]);
  });

  test("fails for invalid YAML, with file, line and column", () => {
    expect(() => read("groups:\n  - name: [a\n")).toThrow(
      /^alert rules .*rules\.yml:3:1 are not valid YAML: /,
    );
  });

  test("fails without groups", () => {
    expect(() => read("rules: []")).toThrow(
      /rules\.yml have no groups with rules: write a Prometheus rule file$/,
    );
  });

  test("fails when an alert is declared twice", () => {
    expect(() =>
      read(JSON.stringify({ groups: [{ name: "g", interval: "1m", rules: [rule(), rule()] }] })),
    ).toThrow(/^alert "Sound" in .* is declared twice: rename one$/);
  });

  test.each<[string, object, RegExp]>([
    [
      "an invalid PromQL query",
      { expr: "sum(up" },
      /^alert "Sound" in .*rules\.yml has an expression that is not valid PromQL at character 7, "": correct expr$/,
    ],
    [
      "a metric of every container of the engine",
      { expr: "container_memory_working_set_bytes > 5" },
      /^alert "Sound" in .*rules\.yml reads container_memory_working_set_bytes of every container of the Docker engine: limit it to the platform's containers with \* on \(container_id\) group_left/,
    ],
    ["no query", { expr: undefined }, /: expr is missing: it must be a PromQL query$/],
    [
      "no runbook",
      { annotations: { summary: "s" } },
      /: annotations\.runbook is missing: it must be the path of its runbook, such as docs\/runbooks\/InitFailed\.md$/,
    ],
    [
      "a runbook that does not exist",
      { annotations: { summary: "s", runbook: "docs/none.md" } },
      /has the runbook "docs\/none\.md", which does not exist: write that page$/,
    ],
    [
      "no summary",
      { annotations: { runbook: "page.md" } },
      /: annotations\.summary is missing: it must be a sentence that says what is wrong and what is affected$/,
    ],
    [
      "an empty summary and an empty runbook",
      { annotations: { summary: "", runbook: "" } },
      /: annotations\.summary is "": it must be a sentence that says what is wrong and what is affected\n.*: annotations\.runbook is "": it must be the path of its runbook, such as docs\/runbooks\/InitFailed\.md$/,
    ],
    ["no labels", { labels: undefined }, /: labels is missing: it must be an object$/],
    [
      "an unknown severity",
      { labels: { severity: "urgent" } },
      /: labels\.severity is "urgent": it must be "critical", "warning" or "info"$/,
    ],
    [
      "an invalid duration",
      { for: "soon" },
      /has for "soon": use whole seconds, such as 30s, 5m or 1h30m$/,
    ],
    [
      "a duration of milliseconds",
      { for: "1s500ms" },
      /has for "1s500ms": use whole seconds, such as 30s, 5m or 1h30m$/,
    ],
    [
      "an invalid keep_firing_for",
      { keep_firing_for: "long" },
      /has keep_firing_for "long": use whole seconds, such as 30s, 5m or 1h30m$/,
    ],
    [
      "a query in a template",
      {
        annotations: {
          summary: '{{ with query "up" }}{{ . | first | value }}{{ end }}',
          runbook: "page.md",
        },
      },
      /^alert "Sound" in .*rules\.yml has annotations\.summary, which uses query in a template: Grafana returns nothing for it: put the query into expr, or link a dashboard$/,
    ],
    [
      "a link in a template",
      { annotations: { summary: '{{ graphLink "up" }}', runbook: "page.md" } },
      /has annotations\.summary, which uses graphLink in a template: Grafana expects JSON instead of a query: link a dashboard$/,
    ],
    [
      "Prometheus' external labels in a template",
      { labels: { severity: "info", site: "{{ $externalLabels.site }}" } },
      /has labels\.site, which uses \$externalLabels in a template: Grafana has no external labels: write the text itself$/,
    ],
    [
      "an unknown function in a template",
      { annotations: { summary: "{{ $value | humanise }}", runbook: "page.md" } },
      /has annotations\.summary, which uses humanise in a template, which Grafana does not know: use a function of its reference of templates$/,
    ],
    [
      "an unknown variable in a template",
      { annotations: { summary: "{{ $job }}", runbook: "page.md" } },
      /has annotations\.summary, which uses \$job in a template, which Grafana does not know: use \$labels, \$value, \$values, or declare it with :=$/,
    ],
    [
      "an empty template",
      { annotations: { summary: "a {{ }}", runbook: "page.md" } },
      /has annotations\.summary, which has an empty template, \{\{ \}\}: remove it$/,
    ],
    [
      "a template that is not closed",
      { annotations: { summary: "{{ $value", runbook: "page.md" } },
      /has annotations\.summary, which opens a template with "\{\{" and does not close it: add "\}\}", or write \{\{ "\{\{" \}\} for the characters$/,
    ],
    [
      "a block without an end",
      { annotations: { summary: "{{ if gt $value 5.0 }}high", runbook: "page.md" } },
      /has annotations\.summary, which has a template with 1 of if, range and with, and 0 of end: each needs one$/,
    ],
    [
      "what Prometheus does not have",
      { notify: "me" },
      /has an unsupported property "notify": allowed: alert, expr, for, keep_firing_for, labels, annotations$/,
    ],
    [
      "an invalid name",
      { alert: "sound-rule" },
      /alert "sound-rule" in .* needs a name of at most 40 letters and digits that starts with an uppercase letter$/,
    ],
  ])("fails for a rule with %s", (_, change, message) => {
    expect(() => readRule(change)).toThrow(message);
  });

  test.each([
    ["an interval of nothing", { interval: "0s" }, /has the interval "0s": use a multiple of 10 s/],
    ["no name", { name: "" }, /: name is "": it must be a name$/],
    ["a rule that is none", { rules: [null] }, /: rules\[0\] is null: it must be an object$/],
  ])("fails for a group with %s", (_, change, message) => {
    expect(() => readRule({}, change)).toThrow(message);
  });

  test("fails for a field of Prometheus' groups that Grafana does not support", () => {
    expect(() => readRule({}, { limit: 3 })).toThrow(
      /^group "g" in .* has an unsupported property "limit": allowed: name, interval, rules$/,
    );
  });

  test("reaches Grafana with every field", () => {
    const [group] = readRule({
      for: "5m",
      keep_firing_for: "10m",
      labels: { severity: "info", team: "data" },
      annotations: { summary: "Down", runbook: "page.md", description: "At {{ $value }}" },
    });
    expect(render(group).rule[0]).toMatchObject({
      for: "5m",
      keep_firing_for: "10m",
      labels: { severity: "info", team: "data" },
      annotations: {
        summary: "Down",
        runbook: "page.md",
        description: "At {{ $values.query.Value }}",
      },
    });
  });

  test.each([
    ["{{ $value }}", "{{ $values.query.Value }}"],
    ["{{ .Value | humanize }}", "{{ $values.query.Value | humanize }}"],
    ["{{- printf `%.2f` $value -}}", "{{- printf `%.2f` $values.query.Value -}}"],
    ["{{ $values.query.Value }}", "{{ $values.query.Value }}"],
    ["{{ range $k, $v := $values }}{{ .Value }}{{ end }}{{ .Value }}", undefined],
    ['{{ if gt $value 5.0 }}{{ .Value }}{{ else if eq $value 0.0 }}"$value"{{ end }}', undefined],
    ['costs $value, {{ "$value }}" }}', 'costs $value, {{ "$value }}" }}'],
    ["{{ $x := 1e3 }}{{ $x }}", "{{ $x := 1e3 }}{{ $x }}"],
    ["{{ $labels.pod | urlQueryEscape }}", "{{ $labels.pod | urlQueryEscape }}"],
    ['{{ graphLink "{\\"expr\\": \\"up\\"}" }}', '{{ graphLink "{\\"expr\\": \\"up\\"}" }}'],
    ["${TEAM} {{ $labels.pod }}", "$${TEAM} {{ $labels.pod }}"],
  ])("renders the template %s as Grafana's, in annotations and labels", (template, expected) => {
    const [group] = readRule({
      labels: { severity: "info", text: template },
      annotations: { summary: template, runbook: "page.md" },
    });
    const [rendered] = render(group).rule;
    const special = {
      "{{ range $k, $v := $values }}{{ .Value }}{{ end }}{{ .Value }}":
        "{{ range $k, $v := $values }}{{ .Value }}{{ end }}{{ $values.query.Value }}",
      '{{ if gt $value 5.0 }}{{ .Value }}{{ else if eq $value 0.0 }}"$value"{{ end }}':
        '{{ if gt $values.query.Value 5.0 }}{{ $values.query.Value }}{{ else if eq $values.query.Value 0.0 }}"$value"{{ end }}',
    }[template];
    expect(rendered.annotations.summary).toBe(expected ?? special);
    expect(rendered.labels.text).toBe(expected ?? special);
  });

  test("keeps Terraform from evaluating its name and its labels' names", () => {
    const [group] = readRule({ labels: { severity: "info", "${a}": "%{b}" } }, { name: "g ${c}" });
    expect(render(group)).toMatchObject({
      name: "g $${c}",
      rule: [{ labels: { severity: "info", "$${a}": "%%{b}" } }],
    });
  });

  test("may have merge keys, which Prometheus reads", () => {
    const text = [
      "x: &labels { severity: info, team: data }",
      "groups:",
      "  - name: g",
      "    interval: 1m",
      "    rules:",
      "      - alert: Sound",
      "        expr: up == 0",
      "        labels: { <<: *labels, team: platform }",
      "        annotations: { summary: Down, runbook: page.md }",
    ].join("\n");
    expect(read(text)[0].rules[0].labels).toEqual({ severity: "info", team: "platform" });
  });

  test.each([
    ["1m30s", 90],
    ["1h", 3600],
    ["1d", 86400],
    [undefined, 60],
  ])("may have the interval %s", (interval, seconds) => {
    expect(render(readRule({}, { interval })[0]).interval_seconds).toBe(seconds);
  });

  test.each([
    ["1h30m", "5400s"],
    ["1d", "86400s"],
    ["5m", "5m"],
    ["0", "0s"],
  ])("may wait for %s", (hold, rendered) => {
    const [group] = readRule({ for: hold, keep_firing_for: hold });
    expect(render(group).rule[0]).toMatchObject({ for: rendered, keep_firing_for: rendered });
  });

  describe("that records", () => {
    const recording = { record: "job:up:sum", expr: "sum by (job) (up)", labels: { team: "data" } };
    const group = (...rules: object[]) =>
      read(JSON.stringify({ groups: [{ name: "g", interval: "1m", rules }] }));

    test("is kept apart from the alerts of its group", () => {
      expect(group(recording, rule())).toEqual([
        { name: "g", interval: "1m", rules: [rule()], recordingRules: [recording] },
      ]);
    });

    test.each<[string, object, RegExp]>([
      [
        "an invalid query",
        { expr: "sum(" },
        /^recording rule "job:up:sum" in .*rules\.yml has an expression that is not valid PromQL at character 5, "": correct expr$/,
      ],
      [
        "an invalid name",
        { record: "job-up" },
        /^recording rule "job-up" in .* needs a name of letters, digits, "_" and ":" that starts with no digit$/,
      ],
      [
        "a name of the platform's metrics",
        { record: "groundwork_declared_kafka_brokers" },
        /has a name that Groundwork's own metrics have: start it with something else$/,
      ],
      [
        "annotations",
        { annotations: {} },
        /has an unsupported property "annotations": allowed: record, expr, labels$/,
      ],
      [
        "a metric of every container",
        { expr: "sum(container_memory_rss)" },
        /reads container_memory_rss of every container of the Docker engine: limit it/,
      ],
      [
        "an alert's name too",
        { alert: "Sound" },
        /^rule 1 of group "g" in .* needs either alert or record: name the alert, or the metric that it records$/,
      ],
    ])("fails with %s", (_, change, message) => {
      expect(() => group({ ...recording, ...change })).toThrow(message);
    });

    test("fails without a name", () => {
      expect(() => group({ expr: "up" })).toThrow(
        /^rule 1 of group "g" in .* needs either alert or record/,
      );
    });
  });

  describe("is found", () => {
    const text = (name: string) =>
      JSON.stringify({ groups: [{ name, rules: [rule({ alert: name })] }] });

    test("with either extension, in subdirectories, beside a README and hidden files", () => {
      mkdirSync(join(directory, "team"));
      writeFileSync(join(directory, "a.yaml"), text("A"));
      writeFileSync(join(directory, "team", "b.yml"), text("B"));
      writeFileSync(join(directory, "README.md"), "");
      writeFileSync(join(directory, ".gitkeep"), "");
      expect(readAlertGroups(directory, root).map(({ name }) => name)).toEqual(["A", "B"]);
    });

    test("unless it has another extension, which is named", () => {
      writeFileSync(join(directory, "a.yml.bak"), "");
      writeFileSync(join(directory, "b.json"), "");
      expect(() => readAlertGroups(directory, root)).toThrow(
        /^.*a\.yml\.bak is not read, since files with alert rules end with \.yml or \.yaml: rename it, or move it out of alerts\/\n.*b\.json is not read, since /,
      );
    });

    test("unless it is a directory", () => {
      mkdirSync(join(directory, "x.yml"));
      expect(() => readAlertGroups(directory, root)).toThrow(
        /^alert rules .*x\.yml is a folder: replace it with a file$/,
      );
    });

    test("unless it is a broken link", () => {
      symlinkSync(join(root, "none"), join(directory, "x.yml"));
      expect(() => readAlertGroups(directory, root)).toThrow(
        /^alert rules .*x\.yml cannot be read \(ENOENT\): check that it exists and is not a broken link$/,
      );
    });
  });

  test.each<[string, Buffer, RegExp]>([
    [
      "UTF-16",
      Buffer.from("\uFEFFgroups: []", "utf16le"),
      /^alert rules .*rules\.yml is UTF-16: save it as UTF-8, such as with cp -p .* && iconv -f UTF-16 -t UTF-8 /,
    ],
    [
      "ISO 8859-1",
      Buffer.from("# für", "latin1"),
      /^alert rules .*rules\.yml is not UTF-8: save it as UTF-8, such as with cp -p .* && iconv -f ISO-8859-1 /,
    ],
  ])("fails in %s", (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(message);
  });

  test("may begin with a byte order mark", () => {
    const text = JSON.stringify({ groups: [{ name: "g", rules: [rule()] }] });
    expect(read(`\uFEFF${text}`)[0].rules).toEqual([rule()]);
  });

  test("fails with the first ten problems, and how many more there are", () => {
    const rules = Array.from({ length: 30 }, (_, i) => rule({ alert: `Rule${i}`, expr: "sum(" }));
    const message = messageOf(() => read(JSON.stringify({ groups: [{ name: "g", rules }] })));
    const lines = message.split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[9]).toMatch(/^alert "Rule9" in /);
    expect(lines[10]).toMatch(/^alert rules .*rules\.yml has 20 more problems: fix these first$/);
  });

  test("fails for an interval that Grafana does not support", () => {
    expect(() => readRule({}, { interval: "15s" })).toThrow(
      /^group "g" in .* has the interval "15s": use a multiple of 10 s, such as 30s or 1m$/,
    );
  });
});
