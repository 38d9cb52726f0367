// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables are written so.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../support/platform";
import { shippedDashboards as dashboards, shippedAlerts } from "../support/shipped";

/** What the exporter that Alloy embeds documents (https://github.com/grafana/kafka_exporter#metrics). */
const KAFKA_METRICS = readFileSync(join(__dirname, "kafka-exporter-metrics.txt"), "utf8")
  .trim()
  .split("\n");

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

test("every query of Kafka uses metrics that the embedded exporter has", () => {
  const expressions = [
    ...dashboards.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
    ...shippedAlerts.map(({ expr }) => expr),
  ];
  const used = new Set(expressions.flatMap((expr) => expr.match(/\bkafka_\w+/g) ?? []));
  expect(used.size).toBeGreaterThan(8);
  expect([...used].filter((metric) => !KAFKA_METRICS.includes(metric))).toEqual([]);
});

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
