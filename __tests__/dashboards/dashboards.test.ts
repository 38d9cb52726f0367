// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables are written so.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../support/platform";
import { shippedDashboards as dashboards, shippedAlertGroups } from "../support/shipped-catalog";

/**
 * What the exporters that Alloy 1.18 embeds send, by the beginning of the names:
 * - kafka_exporter, as https://github.com/grafana/kafka_exporter#metrics documents it
 * - elasticsearch_exporter 1.5.0, from the names in its collectors
 * - node_exporter 1.10.2, from the collectors that measure the host and not the container of Alloy
 * - cAdvisor, as docs/storage/prometheus.md documents it
 */
const EXPORTERS = {
  kafka: "kafka-exporter-metrics.txt",
  elasticsearch: "elasticsearch-exporter-metrics.txt",
  node: "node-exporter-metrics.txt",
  container: "cadvisor-metrics.txt",
};

test("the shipped dashboards are these, in these folders", () => {
  expect(dashboards.map(({ folder, uid, title }) => `${folder}: ${title} (${uid})`)).toEqual([
    "Messaging: Kafka (groundwork-kafka)",
    "Platform: Containers (groundwork-containers)",
    "Platform: Init sidecars (groundwork-init-sidecars)",
    "Platform: Logs (groundwork-logs)",
    "Platform: Platform overview (groundwork-overview)",
    "Platform: Security (groundwork-security)",
    "Search: OpenSearch (groundwork-opensearch)",
  ]);
});

test.each(Object.entries(EXPORTERS))(
  "every query of %s_... uses metrics that the embedded exporter has",
  (prefix, file) => {
    const known = readFileSync(join(__dirname, file), "utf8").trim().split("\n");
    const expressions = [
      ...dashboards.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
      ...shippedAlertGroups.flatMap(({ rules, recordingRules = [] }) =>
        [...rules, ...recordingRules].map(({ expr }) => expr),
      ),
    ];
    const metric = new RegExp(`(?<![\\w:])${prefix}_\\w+(?=\\s*[{[])`, "g");
    const used = new Set(expressions.flatMap((expr) => expr.match(metric) ?? []));
    expect(used.size).toBeGreaterThan(3);
    expect([...used].filter((name) => !known.includes(name))).toEqual([]);
  },
);

test("every dashboard links to the others, and every link leads to a dashboard that has the variable which it sets", () => {
  const variables = new Map(
    dashboards.map(({ uid, content }) => [
      uid,
      JSON.parse(content).templating.list.map(({ name }: Json) => name),
    ]),
  );
  const links = dashboards.flatMap(({ content, title }) => {
    const { links: menu, tags } = JSON.parse(content);
    expect([title, menu[0].tags, tags]).toEqual([title, ["groundwork"], ["groundwork"]]);
    return [...content.matchAll(/"url":"(\/d\/([\w-]+)(?:\?var-(\w+)=)?[^"]*)"/g)];
  });
  expect(links.length).toBeGreaterThan(5);
  expect(links.some(([, , , variable]) => variable)).toBe(true);
  const lost = links.filter(([, , uid, variable]) => {
    const known = variables.get(uid);
    return !known || (variable && !known.includes(variable));
  });
  expect(lost.map(([, url]) => url)).toEqual([]);
});
