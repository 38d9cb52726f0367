import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { lockedConfig } from "../../constructs/alloy/alloy";
import { SERVICES } from "../../constructs/security/principals";
import type { Environment } from "../../environments";
import { principalsOf } from "../../environments/identities";
import { laptop } from "../../environments/laptop";
import { container, envOf, type Json, synthesize } from "../support/platform";
import { alloysGauges } from "../support/watched";

const fileOf = (name: string) =>
  readFileSync(join(__dirname, "../../constructs/alloy", name), "utf8");

/** Every component as `<name>.<label>`, with its text. */
const componentsOf = (text: string) =>
  new Map(
    [...text.matchAll(/^([a-z_.]+) "(\w+)" \{([\s\S]*?)(?:^\}| \}$)/gm)].map(
      ([, name, label, body]) => [`${name}.${label}`, body],
    ),
  );

const OPEN = ["config.alloy", "clusters.alloy", "kafka.alloy"].map(fileOf);
const config = OPEN.join("\n");
const components = componentsOf(config);
const locked = [
  ...OPEN.map(lockedConfig),
  fileOf("certified.alloy"),
  fileOf("security.alloy"),
  fileOf("certificates.alloy"),
].join("\n");

/** Components of Alloy 1.18 that the configuration may use, with what each exports. */
const EXPORTS: Record<string, string[]> = {
  "discovery.docker": ["targets"],
  "discovery.relabel": ["output"],
  "loki.process": ["receiver"],
  "loki.source.docker": [],
  "loki.write": ["receiver"],
  "prometheus.exporter.blackbox": ["targets"],
  "prometheus.exporter.cadvisor": ["targets"],
  "prometheus.exporter.elasticsearch": ["targets"],
  "prometheus.exporter.kafka": ["targets"],
  "prometheus.exporter.self": ["targets"],
  "prometheus.exporter.unix": ["targets"],
  "prometheus.relabel": ["receiver"],
  "prometheus.remote_write": ["receiver"],
  "prometheus.scrape": [],
};

const typeOf = (component: string) => component.slice(0, component.lastIndexOf("."));
const ofType = (type: string) => [...components].filter(([name]) => typeOf(name) === type);

describe.each([
  ["an open", config],
  ["a locked", locked],
])("in %s environment", (_, text) => {
  const found = componentsOf(text);
  const references = [
    ...text.matchAll(/\b((?:discovery|loki|prometheus)\.[a-z_.]+)\.(\w+)\b(?! ")/g),
  ]
    .map(([, component, field]) => ({ component, field }))
    .filter(({ component }) => typeOf(component) in EXPORTS);

  test("every component is one of Alloy's", () => {
    expect(found.size).toBeGreaterThanOrEqual(20);
    expect([...found.keys()].filter((name) => !(typeOf(name) in EXPORTS))).toEqual([]);
  });

  test("every reference leads to a component that exports it", () => {
    expect(references.length).toBeGreaterThan(20);
    expect(
      references.filter(
        ({ component, field }) =>
          !found.has(component) || !EXPORTS[typeOf(component)].includes(field),
      ),
    ).toEqual([]);
  });

  test("every component that exports something is used", () => {
    const used = references.map(({ component }) => component);
    expect(
      [...found.keys()].filter((name) => EXPORTS[typeOf(name)].length > 0 && !used.includes(name)),
    ).toEqual([]);
  });
});

describe("in a locked environment", () => {
  const found = componentsOf(locked);
  const TLS = ["authorities", "identity", "identity"].map((name) => `/groundwork/tls/${name}.pem`);
  const filesIn = (component: string) =>
    [...(found.get(component) ?? "").matchAll(/= "(\/groundwork\/tls\/.*)"/g)].map(
      ([, file]) => file,
    );

  test("whoever is not in Alloy's own process is asked over TLS, and shown Alloy's certificate", () => {
    expect([...found.keys()].filter((name) => filesIn(name).length > 0)).toEqual([
      "loki.write.loki",
      "prometheus.scrape.containers",
      "prometheus.remote_write.prometheus",
      "prometheus.exporter.elasticsearch.opensearch",
      "prometheus.exporter.kafka.kafka",
    ]);
    for (const name of found.keys()) {
      expect([[], TLS]).toContainEqual(filesIn(name));
    }
    expect(locked).not.toMatch(/insecure_skip_verify|ssl_skip_verify/);
  });

  test("the platform's own are scraped by names in their certificates, on infra_net, where no other has them", () => {
    const rules = found.get("discovery.relabel.certified") ?? "";
    expect([...rules.matchAll(/regex {9}= "\(?([a-z|]+)/g)].map(([, names]) => names)).toEqual([
      SERVICES.join("|"),
      SERVICES.join("|"),
    ]);
    expect(rules).toContain('replacement   = "$1." + sys.env("INFRA_NETWORK") + ":$2"');
    const principals = principalsOf(laptop);
    for (const name of SERVICES) {
      expect(principals.get(name)).toContain(`${name}.${laptop.networks.infra.name}`);
    }
  });

  test("everything else is as in an open one, and each component collects the same", () => {
    const changed = [...components].filter(([name, body]) => found.get(name) !== body);
    expect(changed.map(([name]) => name)).toEqual([
      "loki.process.logs",
      "loki.write.loki",
      "prometheus.scrape.containers",
      "prometheus.remote_write.prometheus",
      "prometheus.exporter.elasticsearch.opensearch",
      "prometheus.exporter.kafka.kafka",
    ]);
    // Line by line, however they are aligned.
    const linesOf = (body = "") => body.split("\n").map((line) => line.trim().replace(/ +/g, " "));
    for (const [name, body] of changed) {
      const kept = linesOf(found.get(name));
      const lost = linesOf(body).filter(
        (line) => !/^(\/\/|targets|forward_to)/.test(line) && !kept.includes(line),
      );
      expect([name, lost]).toEqual([name, []]);
    }
    expect([...found.keys()].filter((name) => !components.has(name))).toEqual([
      "discovery.relabel.certified",
      "loki.process.refusals",
      "prometheus.exporter.blackbox.certificates",
      "prometheus.scrape.certificates",
    ]);
    expect(found.get("loki.process.logs")).toContain("loki.write.loki.receiver,");
  });
});

test("every discovery asks the engine for the networks of what it finds, at least every 5 s", () => {
  const discoveries = ofType("discovery.docker");
  expect(discoveries.map(([name]) => name)).toEqual([
    "discovery.docker.containers",
    "discovery.docker.metrics",
  ]);
  for (const [, body] of discoveries) {
    expect(body).toMatch(
      /name {3}= "network"\s+values = \[sys\.env\("INFRA_NETWORK"\), sys\.env\("PROJECT_NETWORK"\)(, sys\.env\("ENGINE_NETWORK"\))?\]/,
    );
    expect(body).toMatch(/host {16}= sys\.env\("ENGINE"\)/);
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

test("a container on several networks is taken once: the platform's own from infra_net, the engine's proxy from engine_net, any other from project_net", () => {
  const keep = (name: string) =>
    /source_labels = \["__own", "__meta_docker_network_name"\]\s+regex {9}= (.*)\s+action {8}= "keep"/.exec(
      components.get(`discovery.relabel.${name}`) ?? "",
    )?.[1];
  const [own, proxy, other] = ["INFRA", "ENGINE", "PROJECT"].map(
    (network) => `sys.env("${network}_NETWORK")`,
  );
  expect(keep("containers")).toBe(`"own;" + ${own} + "|proxy;" + ${proxy} + "|;" + ${other}`);
  expect(keep("metrics")).toBe(`"own;" + ${own} + "|;" + ${other}`);
});

test("a read position depends on nothing that changes when a container stops", () => {
  const body = components.get("discovery.relabel.containers") ?? "";
  expect(body.trimEnd()).toMatch(
    /regex {2}= "__meta_docker_container_id\|container\|service\|stack\|role\|network\|machine"\s+action = "labelkeep"\s+\}$/,
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

/** Every gauge as `<prefix><name> <max_idle_duration>`. */
const gaugesOf = (text: string) =>
  [...text.matchAll(/metric\.(\w+) \{([\s\S]*?)\}/g)].map(([, kind, body]) => {
    expect(kind).toBe("gauge");
    expect(body).toMatch(/action\s+= "set"/);
    const [prefix, name, idle] = ["prefix", "name", "max_idle_duration"].map(
      (key) => new RegExp(`\\b${key}\\s+= "(\\w+)"`).exec(body)?.[1],
    );
    return `${prefix}${name} ${idle}`;
  });

const exits = components.get("loki.process.exits") ?? "";
const [ofOwn, ofApplications] = ["!=", "="].map(
  (operator) =>
    exits
      .split("\n\tstage.match {")
      .find((stage) => stage.includes(`selector = "{role${operator}\\"application\\"}"`)) ?? "",
);

test("exit codes are gauges that a line sets, so that reading one twice changes nothing", () => {
  expect(gaugesOf(ofOwn)).toEqual([
    "groundwork_container_exit_code 8760h",
    "groundwork_container_created_timestamp_seconds 8760h",
    "groundwork_container_finished_timestamp_seconds 8760h",
    "groundwork_container_succeeded_timestamp_seconds 8760h",
    "groundwork_container_oom_killed_timestamp_seconds 8760h",
    "groundwork_container_info 2h",
  ]);
  expect(gaugesOf(ofApplications)).toEqual([
    "groundwork_container_exit_code 2h",
    "groundwork_container_finished_timestamp_seconds 2h",
    "groundwork_container_oom_killed_timestamp_seconds 2h",
    "groundwork_container_info 2h",
    "groundwork_application_failures 2h",
    "groundwork_application_failed_timestamp_seconds 2h",
  ]);
  expect(gaugesOf(config)).toHaveLength(12);
});

test.each([
  ["own", "service", ofOwn],
  ["application's", "application", ofApplications],
])("the lab makes the same gauges of an %s line", (_, role, text) => {
  const told = { id: "a", container: "c", service: "s", role, stack: "t" };
  const line = {
    exit_code: 3,
    created: 1,
    finished: 2,
    succeeded: 2,
    oom_killed: 2,
    failures: 1,
    failed: 2,
  };
  const made = alloysGauges([{ ...told, ...line }])
    .trim()
    .split("\n")
    .map((sample) => sample.replace(/\{.*/, ""));
  expect(made).toEqual(
    gaugesOf(text)
      .map((gauge) => gauge.split(" ")[0])
      .sort(),
  );
});

test("what is counted of an application does not multiply with the names of its containers", () => {
  const [, perService] = ofApplications.split("stage.label_drop");
  expect(perService).toMatch(
    /^ \{\s+values = \["container", "container_id", "name", "cluster", "environment", "image"\]/,
  );
  expect(gaugesOf(perService)).toHaveLength(2);
});

test("of an application whose id is told the id is a label of nothing but what the container is called", () => {
  const [, named] = ofApplications.split("stage.labels");
  expect(named).toMatch(
    /^ \{\s+values = \{container_id = "id", name = "container", cluster = "", environment = "", image = ""\}/,
  );
  expect(named).toContain('selector = "{container_id!=\\"\\"}"');
  expect(gaugesOf(named.split("stage.label_drop")[0])).toEqual(["groundwork_container_info 2h"]);
});

test("of the platform's own the id is a label of nothing but what the container is called", () => {
  const [ends, info] = ofOwn.split("stage.labels");
  expect(gaugesOf(ends)).toHaveLength(5);
  expect(info).toMatch(
    /^ \{\s+values = \{container_id = "id", name = "container", cluster = "", environment = "", image = ""\}/,
  );
  expect(gaugesOf(info)).toEqual(["groundwork_container_info 2h"]);
  expect(info).toMatch(
    /stage\.label_drop \{\s+values = \["container_id", "name", "cluster", "environment", "image"\]\s+\}\n\t\}\n/,
  );
});

test("of cgroups those are kept that are a container's, and their paths lead to its id", () => {
  const [, written] =
    /source_labels = \["id"\]\s+regex\s+= "(.+)"\n/.exec(
      components.get("prometheus.relabel.cadvisor") ?? "",
    ) ?? [];
  const whole = new RegExp(`^(?:${written.replaceAll("\\\\", "\\")})$`);
  const id = "0123456789abcdef".repeat(4);
  const found = (path: string) => whole.exec(path)?.[1];
  expect(
    [
      `/docker/${id}`,
      `/system.slice/docker-${id}.scope`,
      `/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${id}.scope`,
    ].map(found),
  ).toEqual([id, id, id]);
  for (const other of ["/", "/docker", "/system.slice/docker.service", `/docker/${id}/init`]) {
    expect([other, found(other)]).toEqual([other, undefined]);
  }
});

test("the container gives every variable that the configuration reads, and no other", () => {
  const read = new Set([...config.matchAll(/sys\.env\("(\w+)"\)/g)].map(([, name]) => name));
  const given = envOf(container(synthesize(laptop).stacks, "alloy"));
  // Of several.
  read.delete("MACHINE");
  expect(Object.keys(given).sort()).toEqual([...read].sort());
  expect(given).toMatchObject({
    ENGINE: "unix:///run/docker.sock",
    ENGINE_NETWORK: "infra_net",
    ENGINE_PROXY: "",
    ENVIRONMENT: "laptop",
    EXIT_RELAY: "exit-relay",
    KAFKA_BOOTSTRAP_SERVERS:
      "kafka-1.infra_net:19092,kafka-2.infra_net:19092,kafka-3.infra_net:19092",
    OPENSEARCH_URL: "http://opensearch.infra_net:9200",
    LOKI_URL: "http://loki.infra_net:3100",
    PROMETHEUS_URL: "http://prometheus.infra_net:9090",
  });
});

describe("on several machines", () => {
  const machines = ["a", "b", "c"].map((name, i) => ({
    name,
    engine: `ssh://ops@${name}`,
    address: `10.0.0.${i + 1}`,
  }));
  const alloys = (environment: Environment) => {
    const { stacks } = synthesize({ ...environment, machines });
    return machines.map(({ name }) => container(stacks, `alloy-${name}`));
  };
  const filesOf = ({ upload }: Json) =>
    upload.map(({ file }: Json) => basename(file)).filter((name: string) => /alloy$/.test(name));

  test("every Alloy says which one it is on, of all but what is of no machine", () => {
    expect(alloys(laptop).map((body) => envOf(body).MACHINE)).toEqual(["a", "b", "c"]);
    for (const text of [config, locked]) {
      const [, first, second] = (
        componentsOf(text).get("prometheus.remote_write.prometheus") ?? ""
      ).split("write_relabel_config");
      expect(first).toMatch(/action = "labeldrop"/);
      expect(second).toMatch(/target_label = "machine"\s+replacement {2}= sys.env\("MACHINE"\)/);
    }
  });

  test.each([
    ["an open", laptop, ["clusters.alloy", "kafka.alloy"]],
    [
      "a locked",
      { ...laptop, security: "tls" as const },
      ["clusters.alloy", "kafka.alloy", "certificates.alloy"],
    ],
  ])(
    "in %s environment one Alloy, beside Prometheus, measures both clusters",
    (_, environment, files) => {
      const placed = { ...environment, placement: { prometheus: "b" } };
      const [a, b, c] = alloys(placed);
      for (const other of [a, c]) {
        expect(filesOf(b).filter((file: string) => !filesOf(other).includes(file))).toEqual(files);
        expect(
          Object.keys(envOf(other)).filter((name) => /KAFKA|OPENSEARCH|CERT/.test(name)),
        ).toEqual([]);
      }
      expect(envOf(b).OPENSEARCH_URL).toMatch(/^https?:\/\/opensearch[.:]/);
    },
  );
});
