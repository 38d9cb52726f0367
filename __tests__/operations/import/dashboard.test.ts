// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables are written so.
import { convertDashboard, isDashboard } from "../../../operations/import/dashboard";
import type { Json } from "../../support/platform";

/** A dashboard as Grafana exports it for sharing. */
const shared = (): Json => ({
  __inputs: [
    { name: "DS_PROMETHEUS", type: "datasource", pluginId: "prometheus" },
    { name: "DS_INFLUX", type: "datasource", pluginId: "influxdb" },
    { name: "VAR_JOB", type: "constant", value: "node" },
  ],
  __requires: [{ type: "grafana", id: "grafana" }],
  __elements: {
    lib: {
      name: "Shared",
      model: { type: "stat", title: "Up", targets: [{ refId: "A", expr: "up" }] },
    },
  },
  id: 7,
  uid: "node",
  title: "Node",
  schemaVersion: 39,
  templating: {
    list: [
      {
        name: "instance",
        type: "query",
        datasource: "${DS_PROMETHEUS}",
        query: "label_values(up, instance)",
      },
      {
        name: "source",
        type: "datasource",
        query: "prometheus",
        regex: "/prod/",
        current: { value: "a" },
      },
    ],
  },
  annotations: {
    list: [
      { name: "Own", datasource: "-- Grafana --" },
      { name: "Restarts", datasource: "${DS_PROMETHEUS}", expr: "changes(up[5m])" },
      { name: "Deploys", datasource: { type: "influxdb", uid: "${DS_INFLUX}" } },
    ],
  },
  panels: [
    {
      id: 1,
      type: "timeseries",
      title: "CPU",
      gridPos: { x: 0, y: 0, w: 12, h: 8 },
      datasource: "${DS_PROMETHEUS}",
      targets: [{ refId: "A", expr: 'rate(cpu{instance="[[instance]]", job="${VAR_JOB}"}[5m])' }],
    },
  ],
});

const convert = (change: (dashboard: Json) => void = () => undefined) => {
  const dashboard = shared();
  change(dashboard);
  return convertDashboard(dashboard, "node");
};

test("a shared dashboard gets the platform's data sources, and says what it did and what it lost", () => {
  const { model, changes, lost } = convert();
  expect(model).toMatchObject({ id: null, uid: "node", title: "Node", schemaVersion: 39 });
  expect(Object.keys(model).filter((key) => key.startsWith("__"))).toEqual([]);
  const prometheus = { type: "prometheus", uid: "prometheus" };
  expect(model.panels[0]).toMatchObject({
    datasource: prometheus,
    targets: [{ refId: "A", expr: 'rate(cpu{instance="${instance}", job="node"}[5m])' }],
  });
  expect(model.templating.list).toMatchObject([
    { name: "instance", datasource: prometheus },
    { name: "source", query: "prometheus", regex: "", current: {} },
  ]);
  expect(model.annotations.list).toEqual([
    { name: "Own", datasource: "-- Grafana --" },
    { name: "Restarts", datasource: prometheus, expr: "changes(up[5m])" },
  ]);
  expect(changes).toEqual([
    "[[variables]] -> ${variables}",
    "constants: VAR_JOB",
    'data source "${DS_PROMETHEUS}" -> prometheus',
  ]);
  expect(lost).toEqual([
    'annotation "Deploys": it uses data source "${DS_INFLUX}" of type "influxdb", which the dashboard does not define: use prometheus or loki',
  ]);
});

test.each<[string, (panel: Json) => void, string]>([
  [
    "with a query of another data source",
    (panel) => {
      panel.datasource = "${DS_INFLUX}";
      panel.targets = [{ refId: "A", query: "SELECT 1" }];
    },
    'query A uses data source "${DS_INFLUX}", which the dashboard does not define: use prometheus or loki',
  ],
  [
    "with an invalid query",
    (panel) => {
      panel.targets[0].expr = "sum(up";
    },
    'query A is not valid PromQL at character 7, "": sum(up',
  ],
  [
    "of a library that the export does not contain",
    (panel) => {
      panel.libraryPanel = { uid: "other", name: "Other" };
    },
    'it is the library panel "Other", which the export does not contain',
  ],
  [
    "of a plugin without a query",
    (panel) => {
      panel.type = "grafana-clock-panel";
      panel.targets = [];
    },
    'its type is "grafana-clock-panel", a plugin that Grafana does not have',
  ],
])("a panel %s becomes a text with the reason and the query", (_, change, reason) => {
  const { model, lost } = convert((d) => change(d.panels[0]));
  expect(lost).toContain(`panel "CPU": ${reason}`);
  const { type, title, gridPos, options } = model.panels[0];
  expect({ type, title, gridPos }).toEqual({
    type: "text",
    title: "CPU",
    gridPos: { x: 0, y: 0, w: 12, h: 8 },
  });
  expect(options.content).toMatch(/^Not imported: /);
  expect(options.content).toContain(reason);
  const [{ expr, query } = {} as Json] = (() => {
    const d = shared();
    change(d.panels[0]);
    return d.panels[0].targets;
  })();
  const written = (query ?? expr ?? "")
    .replace("[[instance]]", "${instance}")
    .replace("${VAR_JOB}", "node");
  expect(options.content).toContain(written);
});

test("a panel keeps the queries that the platform can run", () => {
  const { model, lost } = convert((d) => {
    d.panels[0].targets.push({ refId: "B", expr: "up[" }, { refId: "C", expr: "" });
  });
  expect(model.panels[0].targets.map(({ refId }: Json) => refId)).toEqual(["A"]);
  expect(lost[1]).toMatch(/^panel "CPU": query B is not valid PromQL/);
});

test("a panel of a plugin with a query becomes a time series", () => {
  const { model, changes } = convert((d) => {
    d.panels[0].type = "vonage-status-panel";
  });
  expect(model.panels[0]).toMatchObject({ type: "timeseries", targets: [{ refId: "A" }] });
  expect(changes).toContain('panel "CPU": type vonage-status-panel -> timeseries');
});

test("a library panel that the export contains becomes a panel of the dashboard", () => {
  const { model, lost } = convert((d) => {
    d.panels.push({ id: 2, gridPos: { x: 12, y: 0, w: 12, h: 8 }, libraryPanel: { uid: "lib" } });
  });
  expect(model.panels[1]).toMatchObject({ id: 2, type: "stat", title: "Up" });
  expect(model.panels[1].libraryPanel).toBeUndefined();
  expect(lost).toHaveLength(1);
});

test("an alert of a panel is removed, and named", () => {
  const { model, lost } = convert((d) => {
    d.panels[0].alert = { name: "High CPU" };
  });
  expect(model.panels[0].alert).toBeUndefined();
  expect(lost).toContain('panel "CPU": its alert "High CPU"; declare it in alerts/');
});

test("a variable of another data source becomes a text box", () => {
  const { model, lost } = convert((d) => {
    d.templating.list[0].datasource = "${DS_INFLUX}";
    d.templating.list[0].query = "SHOW TAG VALUES";
  });
  expect(model.templating.list[0]).toEqual({
    name: "instance",
    label: "instance",
    type: "textbox",
    query: ".*",
    current: { text: ".*", value: ".*" },
  });
  expect(lost[0]).toMatch(/^variable "instance": it uses data source .*; it is a text box now$/);
});

test("metrics of containers are joined with the containers' names", () => {
  const { model, changes } = convert((d) => {
    d.panels[0].targets[0].expr =
      'sum by (name) (rate(container_cpu_usage_seconds_total{name=~"$instance", job="cadvisor", cpu="total"}[$__rate_interval]))';
  });
  expect(model.panels[0].targets[0].expr).toBe(
    'sum by (name) ((rate(container_cpu_usage_seconds_total{job="integrations/cadvisor", cpu="total"}[$__rate_interval]) * on (container_id) group_left (name) group by (container_id, name) (last_over_time(groundwork_container_info{job="integrations/self", name=~"$instance"}[1d]))))',
  );
  expect(changes).toContain("container metrics are joined with groundwork_container_info");
});

test("metrics of containers with Kubernetes' labels are not imported", () => {
  const { model, lost } = convert((d) => {
    d.panels[0].targets[0].expr = 'container_memory_rss{pod="a"}';
  });
  expect(model.panels[0].type).toBe("text");
  expect(lost[1]).toMatch(/^panel "CPU": query A reads container_memory_rss of every container/);
});

test("rows become a grid, and panels that overlap or have no place move", () => {
  const { model, changes } = convert((d) => {
    const [panel] = d.panels;
    delete d.panels;
    d.rows = [
      {
        panels: [
          { ...panel, span: 6 },
          { ...panel, span: 6 },
        ],
      },
    ];
  });
  expect(model.rows).toBeUndefined();
  expect(model.panels.map(({ id, gridPos }: Json) => [id, gridPos])).toEqual([
    [1, { x: 0, y: 0, w: 12, h: 7 }],
    [2, { x: 12, y: 0, w: 12, h: 7 }],
  ]);
  expect(changes).toContain("rows -> panels in a grid");

  const moved = convert((d) => {
    d.panels.push(
      { ...d.panels[0], gridPos: { x: 20, y: 4, w: 8, h: 4 } },
      { type: "text", title: "T" },
    );
  });
  expect(moved.model.panels.map(({ id, gridPos }: Json) => [id, gridPos])).toEqual([
    [1, { x: 0, y: 0, w: 12, h: 8 }],
    [2, { x: 16, y: 4, w: 8, h: 4 }],
    [3, { x: 0, y: 8, w: 12, h: 8 }],
  ]);
  expect(moved.changes).toContain("panels that overlapped or had no place are moved");
});

test("a panel of any height moves another one below it", () => {
  const { model } = convert((d) => {
    d.panels[0].gridPos = { x: 0, y: 0, w: 24, h: 2 ** 50 };
    d.panels.push({ type: "text", title: "T", gridPos: { x: 0, y: 5, w: 4, h: 4 } });
  });
  expect(model.panels[1].gridPos).toEqual({ x: 0, y: 2 ** 50, w: 4, h: 4 });
});

test("the response of Grafana's API is a dashboard too", () => {
  const { model } = convertDashboard({ meta: {}, dashboard: shared() }, "node");
  expect(model.uid).toBe("node");
  const { uid, ...spec } = shared();
  const resource = { apiVersion: "dashboard.grafana.app/v1beta1", metadata: { name: uid }, spec };
  expect(isDashboard(resource)).toBe(true);
  expect(convertDashboard(resource, "node").model.uid).toBe("node");
  const second = { apiVersion: "dashboard.grafana.app/v2", spec: { elements: {} } };
  expect(() => convertDashboard(second, "node.json")).toThrow(
    `node.json uses the model "dashboard.grafana.app/v2" of Grafana's API: export it as code again, with the model "Classic"`,
  );
});

test("a dashboard without a valid uid gets one of its title", () => {
  expect(convert((d) => (d.uid = null)).model.uid).toBe("node");
  const title = "Node Exporter: Ünïcode & a title of more than forty characters";
  expect(convert((d) => Object.assign(d, { title, uid: "a b" })).model.uid).toBe(
    "node-exporter-n-code-a-title-of-more-tha",
  );
});

test("a dashboard without panels is refused", () => {
  expect(() => convert((d) => (d.panels = []))).toThrow("node has no panels: nothing is imported");
});
