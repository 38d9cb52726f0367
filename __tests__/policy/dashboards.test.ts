import { styleProblemsOf } from "../support/dashboard-style";
import { withoutJob } from "../support/jobs";
import type { Json } from "../support/platform";
import { shippedDashboards } from "../support/shipped-catalog";

test.each(shippedDashboards.map(({ file, content }) => [file, content]))(
  "%s reads well on a screen",
  (_, content) => {
    expect(styleProblemsOf(JSON.parse(content))).toEqual([]);
  },
);

/** Returns every PromQL expression in a dashboard: of panels, annotations and variables. */
function promQlIn(part: Json): string[] {
  if (typeof part !== "object" || part === null) {
    return [];
  }
  const { expr, datasource, definition } = part;
  const [, ofVariable] = /^label_values\((.*),\s*\w+\)$/.exec(definition ?? "") ?? [];
  const own = [datasource?.uid === "prometheus" ? expr : undefined, ofVariable];
  return [
    ...own.filter((one) => typeof one === "string"),
    ...Object.values<Json>(part).flatMap(promQlIn),
  ];
}

test.each(shippedDashboards.map((dashboard) => [dashboard.file, dashboard] as const))(
  "%s names the job of every series, so that no application's metric of the same name appears in it",
  (_, { content, queries }) => {
    const expressions = promQlIn(JSON.parse(content));
    const ofPanels = queries.filter(({ dataSource }) => dataSource === "prometheus");
    expect(expressions).toEqual(expect.arrayContaining(ofPanels.map(({ expr }) => expr)));
    expect(expressions.flatMap((expr) => withoutJob(expand(expr)))).toEqual([]);
  },
);

/** Replaces Grafana's variables, as it does before it sends a query. */
const expand = (expr: string) => expr.replaceAll("$__rate_interval", "1m").replace(/\$\w+/g, "x");

const sound = () => ({
  description: "Nothing is wrong with it.",
  panels: [
    {
      type: "timeseries",
      title: "Rate",
      description: "How fast.",
      gridPos: { x: 0, y: 0, w: 12, h: 8 },
      fieldConfig: { defaults: { unit: "count:records/s" } },
      options: {
        legend: {
          displayMode: "table",
          calcs: ["lastNotNull", "max"],
          sortBy: "Last *",
          sortDesc: true,
        },
      },
    },
  ] as Json[],
});

test("a dashboard in the project's style has no problems", () => {
  expect(styleProblemsOf(sound())).toEqual([]);
});

test.each<[string, (dashboard: Json) => void, string]>([
  [
    "no description",
    (d) => {
      delete d.description;
    },
    "it has no description",
  ],
  [
    "an abbreviated unit",
    (d) => {
      d.panels[0].fieldConfig.defaults.unit = "wps";
    },
    'panel "Rate": its unit is "wps", which Grafana shows as "wr/s": spell out what is counted, as in "count:records/s"',
  ],
  [
    "an abbreviated unit of one column",
    (d) => {
      d.panels[0].fieldConfig.overrides = [
        { matcher: { id: "byName", options: "b" }, properties: [{ id: "unit", value: "cps" }] },
      ];
    },
    'panel "Rate": its unit is "cps", which Grafana shows as "c/s": spell out what is counted, as in "count:records/s"',
  ],
  [
    "a title that is cut off",
    (d) => {
      d.panels[0].title = "Partitions below min ISR";
      d.panels[0].gridPos.w = 4;
    },
    'panel "Partitions below min ISR": its title has 24 characters, and 14 fit into 4 of 24 columns on a screen of 1440 px: shorten it, or widen the panel',
  ],
  [
    "a legend sorted by name",
    (d) => {
      delete d.panels[0].options.legend.sortBy;
    },
    'panel "Rate": its legend is sorted by name: it has to be by "Last *" descending, so that the largest is among the rows that fit; set displayMode to "table", calcs to ["lastNotNull"], sortBy to "Last *" and sortDesc to true in options.legend',
  ],
  [
    "a legend with the smallest on top",
    (d) => {
      d.panels[0].options.legend.sortDesc = false;
    },
    'panel "Rate": its legend is sorted by "Last *": it has to be by "Last *" descending, so that the largest is among the rows that fit; set displayMode to "table", calcs to ["lastNotNull"], sortBy to "Last *" and sortDesc to true in options.legend',
  ],
  [
    "a legend without the last value",
    (d) => {
      d.panels[0].options.legend.calcs = ["max"];
    },
    'panel "Rate": its legend is a table of max: it has to be a table with the last value; set displayMode to "table", calcs to ["lastNotNull"], sortBy to "Last *" and sortDesc to true in options.legend',
  ],
  [
    "a legend that nobody set",
    (d) => {
      delete d.panels[0].options;
    },
    'panel "Rate": its legend is a list of names: it has to be a table with the last value; set displayMode to "table", calcs to ["lastNotNull"], sortBy to "Last *" and sortDesc to true in options.legend',
  ],
  [
    "a panel without a unit",
    (d) => {
      delete d.panels[0].fieldConfig;
    },
    'panel "Rate": it has no unit: set fieldConfig.defaults.unit, short for a plain number',
  ],
  [
    "a panel without a description",
    (d) => {
      delete d.panels[0].description;
    },
    'panel "Rate": it needs a title and a description',
  ],
])("%s is a problem", (_, change, problem) => {
  const dashboard = sound();
  change(dashboard);
  expect(styleProblemsOf(dashboard)).toEqual([problem]);
});
