import { readFileSync } from "node:fs";
import { join } from "node:path";
import { laptop } from "../../environments/laptop";
import { container, envOf, synthesize } from "../support/platform";

const config = ["config.alloy", "kafka.alloy"]
  .map((file) => readFileSync(join(__dirname, "../../constructs/alloy", file), "utf8"))
  .join("\n");

/** Every component as `<name>.<label>`, with its text. */
const components = new Map(
  [...config.matchAll(/^([a-z_.]+) "(\w+)" \{([\s\S]*?)(?:^\}| \}$)/gm)].map(
    ([, name, label, body]) => [`${name}.${label}`, body],
  ),
);

/** Components of Alloy 1.18 that the configuration may use, with what each exports. */
const EXPORTS: Record<string, string[]> = {
  "discovery.docker": ["targets"],
  "discovery.relabel": ["output"],
  "loki.process": ["receiver"],
  "loki.source.docker": [],
  "loki.write": ["receiver"],
  "prometheus.exporter.cadvisor": ["targets"],
  "prometheus.exporter.elasticsearch": ["targets"],
  "prometheus.exporter.kafka": ["targets"],
  "prometheus.exporter.self": ["targets"],
  "prometheus.exporter.unix": ["targets"],
  "prometheus.remote_write": ["receiver"],
  "prometheus.scrape": [],
};

const typeOf = (component: string) => component.slice(0, component.lastIndexOf("."));
const ofType = (type: string) => [...components].filter(([name]) => typeOf(name) === type);
const references = [
  ...config.matchAll(/\b((?:discovery|loki|prometheus)\.[a-z_.]+)\.(\w+)\b(?! ")/g),
]
  .map(([, component, field]) => ({ component, field }))
  .filter(({ component }) => typeOf(component) in EXPORTS);

test("every component is one of Alloy's", () => {
  expect(components.size).toBeGreaterThanOrEqual(20);
  expect([...components.keys()].filter((name) => !(typeOf(name) in EXPORTS))).toEqual([]);
});

test("every reference leads to a component that exports it", () => {
  expect(references.length).toBeGreaterThan(20);
  expect(
    references.filter(
      ({ component, field }) =>
        !components.has(component) || !EXPORTS[typeOf(component)].includes(field),
    ),
  ).toEqual([]);
});

test("every component that exports something is used", () => {
  const used = references.map(({ component }) => component);
  expect(
    [...components.keys()].filter(
      (name) => EXPORTS[typeOf(name)].length > 0 && !used.includes(name),
    ),
  ).toEqual([]);
});

test("every discovery asks the engine for the two networks, at least every 5 s", () => {
  const discoveries = ofType("discovery.docker");
  expect(discoveries.map(([name]) => name)).toEqual([
    "discovery.docker.containers",
    "discovery.docker.metrics",
  ]);
  for (const [, body] of discoveries) {
    expect(body).toMatch(
      /name {3}= "network"\s+values = \[sys\.env\("INFRA_NETWORK"\), sys\.env\("PROJECT_NETWORK"\)\]/,
    );
    expect(body).toMatch(/refresh_interval {4}= "5s"/);
    expect(body).toMatch(/match_first_network = false/);
  }
});

test("finished containers are among those whose logs are read", () => {
  const body = components.get("discovery.docker.containers");
  for (const status of ["created", "running", "exited", "dead"]) {
    expect(body).toContain(`"${status}"`);
  }
});

test("a container on both networks is taken once: the platform's own from infra_net, any other from project_net", () => {
  for (const name of ["containers", "metrics"]) {
    expect(components.get(`discovery.relabel.${name}`)).toMatch(
      /source_labels = \["__own", "__meta_docker_network_name"\]\s+regex {9}= "own;" \+ sys\.env\("INFRA_NETWORK"\) \+ "\|;" \+ sys\.env\("PROJECT_NETWORK"\)\s+action {8}= "keep"/,
    );
  }
});

test("a read position depends on nothing that changes when a container stops", () => {
  const body = components.get("discovery.relabel.containers") ?? "";
  expect(body.trimEnd()).toMatch(
    /regex {2}= "__meta_docker_container_id\|container\|service\|stack\|role\|network"\s+action = "labelkeep"\s+\}$/,
  );
});

test("every exporter is scraped", () => {
  const exporters = [...components.keys()].filter((name) =>
    name.startsWith("prometheus.exporter."),
  );
  const scraped = ofType("prometheus.scrape").map(
    ([, body]) => /targets\s+= ([\w.]+)\.targets/.exec(body)?.[1],
  );
  expect(exporters).toHaveLength(5);
  expect(exporters.filter((name) => !scraped.includes(name))).toEqual([]);
});

test("exit codes are gauges that a line sets, so that reading one twice changes nothing", () => {
  const metrics = [...config.matchAll(/metric\.(\w+) \{([\s\S]*?)\}/g)];
  expect(metrics.map(([, kind, body]) => `${kind} ${/name\s+= "(\w+)"/.exec(body)?.[1]}`)).toEqual([
    "gauge exit_code",
    "gauge created_timestamp_seconds",
    "gauge finished_timestamp_seconds",
    "gauge succeeded_timestamp_seconds",
  ]);
  for (const [, , body] of metrics) {
    expect(body).toMatch(/action\s+= "set"/);
    expect(body).toMatch(/prefix\s+= "groundwork_container_"/);
  }
});

test("the container gives every variable that the configuration reads, and no other", () => {
  const read = new Set([...config.matchAll(/sys\.env\("(\w+)"\)/g)].map(([, name]) => name));
  const given = envOf(container(synthesize(laptop).stacks, "alloy"));
  expect(Object.keys(given).sort()).toEqual([...read].sort());
  expect(given).toMatchObject({
    ENVIRONMENT: "laptop",
    EXIT_RELAY: "exit-relay",
    KAFKA_BOOTSTRAP_SERVERS:
      "kafka-1.infra_net:19092,kafka-2.infra_net:19092,kafka-3.infra_net:19092",
    OPENSEARCH_URL: "http://opensearch.infra_net:9200",
    LOKI_URL: "http://loki.infra_net:3100",
    PROMETHEUS_URL: "http://prometheus.infra_net:9090",
  });
});
