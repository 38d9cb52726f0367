// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables are written so.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dashboard, DashboardProvider } from "../../../constructs";
import { messageOf } from "../../support/message";
import type { Json } from "../../support/platform";

describe("a dashboard", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "dashboards-"));
    mkdirSync(join(root, "Folder"));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  const sound = () => ({
    id: null,
    uid: "sound",
    title: "Sound",
    schemaVersion: 42,
    templating: { list: [{ name: "topic", type: "query", datasource: { uid: "prometheus" } }] },
    panels: [
      {
        id: 1,
        type: "timeseries",
        title: "Rate",
        gridPos: { x: 0, y: 0, w: 12, h: 8 },
        datasource: { uid: "prometheus" },
        targets: [{ refId: "A", expr: 'rate(a{b="$topic"}[$__rate_interval])' }],
      },
    ] as Json[],
  });

  const write = (text: string, name = "d.json") => {
    const path = join(root, "Folder", name);
    writeFileSync(path, text);
    return path;
  };
  const load = (change: (dashboard: Json) => void) => {
    const dashboard = sound();
    change(dashboard);
    return Dashboard.fromFile(write(JSON.stringify(dashboard)));
  };

  test("keeps its content, in the folder of its file", () => {
    const dashboard = load(() => undefined);
    expect(dashboard).toMatchObject({ uid: "sound", folder: "Folder", file: "Folder/d.json" });
    expect(JSON.parse(dashboard.content)).toEqual(sound());
  });

  test("fails for invalid JSON, with file, line and column", () => {
    expect(() => Dashboard.fromFile(write('{\n  "id": null,\n}'))).toThrow(
      /^dashboard .*Folder\/d\.json:3:1 is invalid JSON: PropertyNameExpected$/,
    );
  });

  test("may begin with a byte order mark", () => {
    const dashboard = Dashboard.fromFile(write(`\uFEFF${JSON.stringify(sound())}`));
    expect(JSON.parse(dashboard.content)).toEqual(sound());
  });

  test("fails for the model of Grafana's API, and says how to export the classic one", () => {
    const resource = { apiVersion: "dashboard.grafana.app/v2", kind: "Dashboard", spec: {} };
    expect(() => Dashboard.fromFile(write(JSON.stringify(resource)))).toThrow(
      /Folder\/d\.json uses the model "dashboard\.grafana\.app\/v2" of Grafana's API: export it as code again, with the model "Classic"$/,
    );
  });

  test.each([
    "rate(up[$interval])",
    "rate(up[${interval}])",
    "topk($n, up)",
    "sum by ($by) (up)",
    "sum by (job, ${by:csv}) (up) > $n",
    "increase(up[${__range_s}s])",
    "increase(up[${n}m:$interval])",
    "rate(up[5m] offset $interval)",
    "up @ ${__to:date:seconds}",
    "rate(up[[[interval]]])",
    "topk([[n]], up{job=~'[[by:regex]]'})",
    "sum(up) $op $n",
    "up ${op} bool on () $n",
    "$agg by (job) (rate(up[$interval])) $op $n",
    "$agg(up{$matcher}) $op2 sum(up)",
    "quantile($n, rate(${by}_total[$__rate_interval])) / $__interval_ms",
    'label_replace(up, "host", "$1-${2}", "instance", "(.*):(.*)")',
  ])("accepts %s as PromQL, whatever its variables stand for", (expr) => {
    load((d) => {
      const names = ["interval", "n", "by", "op", "op2", "agg", "matcher"];
      d.templating.list.push(...names.map((name) => ({ name, type: "custom" })));
      d.panels[0].targets[0].expr = expr;
    });
  });

  test.each([
    'sum by ($by) (count_over_time({app=~"$by"} |= "$n" [$interval]))',
    'topk($n, sum by (app) (rate({app="a"} | json [$__auto])))',
  ])("accepts %s as LogQL, whatever its variables stand for", (expr) => {
    load((d) => {
      d.templating.list.push(...["interval", "n", "by"].map((name) => ({ name, type: "custom" })));
      d.panels[0].datasource.uid = "loki";
      d.panels[0].targets[0].expr = expr;
    });
  });

  const INFO = 'groundwork_container_info{name=~"$topic"}';
  test.each([
    [`sum(rate(container_memory_a[5m]) * on (container_id) group_left (name) ${INFO})`, undefined],
    [
      `${INFO} * on (container_id) group_right () (container_memory_a / container_cpu_b)`,
      undefined,
    ],
    [`sum by (container_id) (up) / on (container_id) ${INFO}`, undefined],
    ["sum(container_queue_length + container_specials_total + container_memory:rate5m)", undefined],
    ['sum({__name__=~"container_memory_a|up"})', "container_memory_a"],
    [`container_memory_a unless on (container_id) ${INFO}`, "container_memory_a"],
    [`container_memory_a * on (machine) group_left (name) ${INFO}`, "container_memory_a"],
    [`container_memory_a or container_cpu_b * on (container_id) ${INFO}`, "container_memory_a"],
    [`(container_memory_a + ${INFO}) * on (container_id) up`, "container_memory_a"],
  ])("in %s, reports %s as a metric of every container", (expr, unnamed) => {
    const loading = () =>
      load((d) => {
        d.panels[0].targets[0].expr = expr;
      });
    if (unnamed) {
      expect(loading).toThrow(`query A reads ${unnamed} of every container of the Docker engine`);
    } else {
      expect(loading().queries[0].expr).toBe(expr);
    }
  });

  test("fails when two have the same uid", () => {
    write(JSON.stringify(sound()), "d.json");
    write(JSON.stringify({ ...sound(), title: "Other" }), "e.json");
    expect(() => Dashboard.fromDirectory(root)).toThrow(
      /^dashboards .*d\.json and .*e\.json have the same uid "sound": change one of them$/,
    );
    rmSync(join(root, "Folder", "e.json"));
  });

  describe("in a directory", () => {
    let directory: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), "folders-"));
    });
    afterEach(() => rmSync(directory, { recursive: true }));
    const place = (path: string, change: object = {}) => {
      mkdirSync(join(directory, path, ".."), { recursive: true });
      writeFileSync(
        join(directory, path),
        JSON.stringify({ ...sound(), uid: path.replace(/\W/g, "-"), ...change }),
      );
    };

    test("is in the folder of its path, beside those of the same name", () => {
      place("TeamA/Common/x.json");
      place("TeamB/Common/x.json");
      place("Common/x.json");
      place("x.json");
      const found = DashboardProvider.fromDirectory(directory);
      expect(found.dashboards.map(({ folder }) => folder)).toEqual([
        "Common",
        "TeamA - Common",
        "TeamB - Common",
        "",
      ]);
      expect(found.files.slice(1).map(({ path }) => path)).toEqual([
        "/etc/grafana/dashboards/Common/x.json",
        "/etc/grafana/dashboards/TeamA - Common/x.json",
        "/etc/grafana/dashboards/TeamB - Common/x.json",
        "/etc/grafana/dashboards/x.json",
      ]);
    });

    test("fails when two have the same title in one folder, since Grafana would import neither", () => {
      place("A/x.json");
      place("A/y.json");
      place("B/y.json");
      expect(() => Dashboard.fromDirectory(directory)).toThrow(
        /^dashboards .*A\/x\.json and .*A\/y\.json have the same title "Sound" in folder "A", for which Grafana would import neither: change one of them$/,
      );
    });

    test("fails when two would have the same path in Grafana", () => {
      place("A/B/x.json");
      place("A - B/x.json", { title: "Other" });
      expect(() => Dashboard.fromDirectory(directory)).toThrow(
        /^dashboards .*x\.json and .*x\.json have the same path A - B\/x\.json in Grafana: rename one of them$/,
      );
    });

    test("fails when a file is not read", () => {
      place("A/x.json");
      writeFileSync(join(directory, "A", "y.JSON"), "{}");
      expect(() => Dashboard.fromDirectory(directory)).toThrow(
        /^.*A\/y\.JSON is not read, since files with a dashboard end with \.json: rename it, or move it out of folders-/,
      );
    });

    test("fails when it is itself a directory", () => {
      mkdirSync(join(directory, "x.json"));
      expect(() => Dashboard.fromDirectory(directory)).toThrow(
        /^dashboard .*x\.json is a folder: replace it with a file$/,
      );
    });
  });

  test("may have rows of a version before Grafana 5, which become a grid", () => {
    const graph = (title: string, span: number) => ({ ...sound().panels[0], title, span });
    const { content } = load((d) => {
      delete d.panels;
      d.rows = [
        { title: "One", showTitle: true, height: "200px", panels: [graph("A", 6), graph("B", 8)] },
        { title: "Two", collapse: true, panels: [graph("C", 12)] },
      ];
    });
    const { panels, rows } = JSON.parse(content);
    expect(rows).toBeUndefined();
    const placed = (all: Json[]) =>
      all.map(({ id, type, title, gridPos: { x, y, w, h } }) => [id, type, title, x, y, w, h]);
    expect(placed(panels)).toEqual([
      [3, "row", "One", 0, 0, 24, 1],
      [1, "timeseries", "A", 0, 1, 12, 6],
      [2, "timeseries", "B", 0, 7, 16, 6],
      [5, "row", "Two", 0, 13, 24, 1],
    ]);
    expect(placed(panels[3].panels)).toEqual([[4, "timeseries", "C", 0, 14, 24, 7]]);
  });

  test.each([
    undefined,
    null,
    "Prometheus",
    { type: "prometheus" },
    { uid: "${source}" },
    "$source",
    { uid: "-- Grafana --" },
    { uid: "-- Mixed --" },
  ])("may use the data source %j", (datasource) => {
    load((d) => {
      d.templating.list.push({ name: "source", type: "datasource", query: "prometheus" });
      d.panels[0].datasource = datasource;
    });
  });

  test("fails with the first ten problems, and how many more there are", () => {
    const message = messageOf(() =>
      load((d) => {
        d.panels = Array.from({ length: 300 }, (_, i) => ({
          ...d.panels[0],
          id: i + 1,
          title: `Panel ${i + 1}`,
          gridPos: { x: 0, y: 8 * i, w: 12, h: 8 },
          targets: [{ refId: "A", expr: `sum(${"a + ".repeat(100)}` }],
        }));
      }),
    );
    const lines = message.split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[0]).toMatch(
      /^dashboard .*d\.json: panel "Panel 1": query A is not valid PromQL at character 405, "": sum\(a .{114}\.\.\.$/,
    );
    expect(lines[10]).toMatch(/^dashboard .*d\.json has 290 more problems: fix these first$/);
  });

  test.each<[string, (dashboard: Json) => void, string]>([
    [
      "an id that Grafana assigned",
      (d) => {
        d.id = 7;
      },
      "the id is 7: set it to null, since Grafana assigns it",
    ],
    [
      "no uid",
      (d) => {
        delete d.uid;
      },
      'the uid "undefined" is invalid: use 1 to 40 letters, digits, "-" and "_"',
    ],
    [
      "no panels",
      (d) => {
        d.panels = [];
      },
      "it has no panels",
    ],
    [
      "no schema version",
      (d) => {
        delete d.schemaVersion;
      },
      "schemaVersion is undefined: set it to the number in Grafana's export",
    ],
    [
      "a panel with a data source that is named like a property of every object",
      (d) => {
        d.panels[0].datasource = { uid: "constructor" };
      },
      'panel "Rate": query A uses data source "constructor": use prometheus or loki',
    ],
    [
      "a panel with an unknown data source",
      (d) => {
        d.panels[0].datasource.uid = "graphite";
      },
      'panel "Rate": query A uses data source "graphite": use prometheus or loki',
    ],
    [
      "a variable with an unknown data source",
      (d) => {
        d.templating.list[0].datasource.uid = "DS_PROMETHEUS";
      },
      'variable "topic" queries data source "DS_PROMETHEUS": use prometheus or loki',
    ],
    [
      "an invalid PromQL query",
      (d) => {
        d.panels[0].targets[0].expr = "sum(rate(a[5m])";
      },
      'panel "Rate": query A is not valid PromQL at character 16, "": sum(rate(a[5m])',
    ],
    [
      "an invalid LogQL query",
      (d) => {
        d.panels[0].datasource.uid = "loki";
        d.panels[0].targets[0].expr = "{a=}";
      },
      'panel "Rate": query A is not valid LogQL at character 4, "}": {a=}',
    ],
    [
      "a variable that is not defined",
      (d) => {
        d.panels[0].targets[0].expr = 'a{b="$group"}';
      },
      'panel "Rate": query A uses the variable "group", which the dashboard does not define',
    ],
    [
      "a metric of every container of the engine",
      (d) => {
        d.panels[0].targets[0].expr = "sum(rate(container_cpu_usage_seconds_total[5m]))";
      },
      'panel "Rate": query A reads container_cpu_usage_seconds_total of every container of the Docker engine: limit it to the platform\'s containers with * on (container_id) group_left (name) group by (container_id, name) (last_over_time(groundwork_container_info{job="integrations/self"}[1d]))',
    ],
    [
      "a query of another kind of data source",
      (d) => {
        d.panels[0].targets = [
          { refId: "A", datasource: { type: "influxdb", uid: "abc" }, query: "SELECT 1" },
        ];
      },
      'panel "Rate": query A uses data source "abc" of type "influxdb": use prometheus or loki',
    ],
    [
      "a variable for data sources of another kind",
      (d) => {
        d.templating.list.push({ name: "source", type: "datasource", query: "influxdb" });
        d.panels[0].datasource = { uid: "${source}" };
      },
      'panel "Rate": query A uses data source "${source}", a variable for data sources of type "influxdb": use prometheus or loki',
    ],
    [
      "a placeholder of a shared export",
      (d) => {
        d.panels[0].datasource = { type: "prometheus", uid: "${DS_PROMETHEUS}" };
      },
      'panel "Rate": query A uses data source "${DS_PROMETHEUS}" of type "prometheus", which the dashboard does not define: use prometheus or loki, as npm run import does',
    ],
    [
      "a query without an expression",
      (d) => {
        d.panels[0].targets = [{ refId: "A" }];
      },
      'panel "Rate": query A has no expr: write the query, or remove it',
    ],
    [
      "an annotation with an unknown data source",
      (d) => {
        d.annotations = { list: [{ name: "Deploys", datasource: "${DS_PROMETHEUS}", expr: "up" }] };
      },
      'annotation "Deploys" uses data source "${DS_PROMETHEUS}", which the dashboard does not define: use prometheus or loki, as npm run import does',
    ],
    [
      "an annotation with an invalid query",
      (d) => {
        d.annotations = { list: [{ name: "Deploys", datasource: "Prometheus", expr: "up[" }] };
      },
      'annotation "Deploys" is not valid PromQL at character 4, "": up[',
    ],
    [
      "a library panel",
      (d) => {
        d.panels[0].libraryPanel = { uid: "abc", name: "Shared" };
      },
      'panel "Rate": it is the library panel "Shared", which only the Grafana has that it was exported from: unlink it there and export the dashboard again',
    ],
    [
      "a panel of a plugin",
      (d) => {
        d.panels[0].type = "grafana-clock-panel";
      },
      'panel "Rate": its type is "grafana-clock-panel", a plugin that Grafana does not have: use one of its own panels, such as timeseries, stat or table',
    ],
    [
      "an alert in a panel",
      (d) => {
        d.panels[0].alert = { name: "High" };
      },
      'panel "Rate": it has an alert, which Grafana no longer evaluates: declare it in alerts/ and remove it',
    ],
    [
      "panels without ids",
      (d) => {
        delete d.panels[0].id;
        d.panels.push({ ...d.panels[0], gridPos: { x: 12, y: 0, w: 12, h: 8 } });
      },
      "several panels have no id: number them",
    ],
    [
      "a panel beyond the grid",
      (d) => {
        d.panels[0].gridPos.w = 25;
      },
      'panel "Rate" is at {"x":0,"y":0,"w":25,"h":8}: x and w must stay within 24 columns',
    ],
    [
      "overlapping panels",
      (d) => {
        d.panels.push({
          ...d.panels[0],
          id: 2,
          title: "Over",
          gridPos: { x: 11, y: 7, w: 4, h: 4 },
        });
      },
      'panel "Over" overlaps panel "Rate"',
    ],
    [
      "two panels with the same id",
      (d) => {
        d.panels.push({ ...d.panels[0], gridPos: { x: 12, y: 0, w: 12, h: 8 } });
      },
      "panel id 1 is used twice",
    ],
  ])("fails with %s", (_, change, message) => {
    expect(() => load(change)).toThrow(message);
  });

  test.each<[string, (dashboard: Json) => void, string]>([
    ["a panel that is none", (d) => d.panels.push(null), "panels[1] is null: it must be an object"],
    [
      "targets that are no list",
      (d) => {
        d.panels[0].targets = {};
      },
      "panels[0].targets is an object: it must be a list",
    ],
    [
      "a data source that is none",
      (d) => {
        d.panels[0].datasource = 5;
      },
      "panels[0].datasource is 5: it must be the uid of a data source, or an object with it",
    ],
    [
      "a variable without a name",
      (d) => d.templating.list.push({}),
      "templating.list[1].name is missing: it must be a string",
    ],
    [
      "a query that is no text",
      (d) => {
        d.panels[0].targets[0].expr = { a: 1 };
      },
      "panels[0].targets[0].expr is an object: it must be a string",
    ],
  ])("fails with %s, without a stack trace", (_, change, message) => {
    expect(() => load(change)).toThrow(
      new RegExp(`^dashboard .*d\\.json: ${message.replace(/[[\].]/g, "\\$&")}$`),
    );
  });

  test("reports all problems at once", () => {
    expect(() =>
      load((d) => {
        d.id = 7;
        d.title = "";
      }),
    ).toThrow(/d\.json: the id is 7: .*\ndashboard .*d\.json: it has no title/);
  });
});
