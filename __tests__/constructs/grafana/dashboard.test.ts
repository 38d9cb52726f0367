// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables are written so.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dashboard } from "../../../constructs";
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
    "quantile($n, rate(${by}_total[$__rate_interval])) / $__interval_ms",
    'label_replace(up, "host", "$1-${2}", "instance", "(.*):(.*)")',
  ])("accepts %s as PromQL, whatever its variables stand for", (expr) => {
    load((d) => {
      d.templating.list.push(...["interval", "n", "by"].map((name) => ({ name, type: "custom" })));
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
    const text = JSON.stringify(sound());
    write(text, "d.json");
    write(text, "e.json");
    expect(() => Dashboard.fromDirectory(root)).toThrow(
      /^dashboards .*d\.json and .*e\.json have the same uid "sound": change one of them$/,
    );
    rmSync(join(root, "Folder", "e.json"));
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
      'panel "Rate": query A reads container_cpu_usage_seconds_total of every container of the Docker engine: limit it to the platform\'s containers with * on (container_id) group_left (name) group by (container_id, name) (last_over_time(groundwork_container_info[1d]))',
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

  test("reports all problems at once", () => {
    expect(() =>
      load((d) => {
        d.id = 7;
        d.title = "";
      }),
    ).toThrow(/the id is 7: .*; it has no title/);
  });
});
