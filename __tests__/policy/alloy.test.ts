import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { catalog } from "../../catalog";
import { SERVICES } from "../../constructs/security/principals";
import type { Environment } from "../../environments";
import { laptop } from "../../environments/laptop";
import { principalsOf } from "../../secrets/platform-secrets";
import { ownMetricsOf } from "../support/jobs";
import { container, envOf, type Json, synthesize } from "../support/platform";
import { ROOT } from "../support/root";
import { alloysGauges } from "../support/telemetry";

const secured = { ...laptop, security: "tls" } as const;

/** Returns the configuration files that a container gets. */
const filesOf = ({ upload }: Json): { name: string; content: string }[] =>
  upload
    .map(({ file, content }: Json) => ({ name: basename(file), content }))
    .filter(({ name }: Json) => name.endsWith(".alloy"));
const namesOf = (body: Json) => filesOf(body).map(({ name }) => name);

/** Returns every component as `<name>.<label>`, with its text. */
const componentsOf = (text: string) =>
  new Map(
    [...text.matchAll(/^([a-z_.]+) "(\w+)" \{([\s\S]*?)(?:^\}| \}$)/gm)].map(
      ([, name, label, body]) => [`${name}.${label}`, body],
    ),
  );

const withBackup = { ...secured, backup: { repository: { kind: "volume" } } } as const;

const [plaintextAlloy, securedAlloy, backupAlloy] = [laptop, secured, withBackup].map(
  (environment) => container(synthesize(environment).stacks, "alloy"),
);
const [config, securedConfig, backupConfig] = [plaintextAlloy, securedAlloy, backupAlloy].map(
  (body) =>
    filesOf(body)
      .map(({ content }) => content)
      .join("\n"),
);
const components = componentsOf(config);

/** Evaluates a sum of strings and environment variables. */
const evaluated = (expression: string, env: Record<string, string>) =>
  expression
    .split(" + ")
    .map((term) => {
      const [, variable] = /^sys\.env\("(\w+)"\)$/.exec(term) ?? [];
      return variable ? (env[variable] ?? "") : JSON.parse(term);
    })
    .join("");

/** Components of Alloy 1.18 that the configuration may use, with their exports. */
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

/** Replaces Grafana's variables, as it does before it sends a query. */
const withoutVariables = (expr: string) =>
  expr.replaceAll("$__rate_interval", "1m").replace(/\$\w+/g, "x");

const typeOf = (component: string) => component.slice(0, component.lastIndexOf("."));
const ofType = (type: string) => [...components].filter(([name]) => typeOf(name) === type);

describe.each([
  ["plaintext", config],
  ["secured", securedConfig],
  ["secured, with backups", backupConfig],
])("in a %s environment", (_, text) => {
  const found = componentsOf(text);
  const references = [
    ...text.matchAll(/\b((?:discovery|loki|prometheus)\.[a-z_.]+)\.(\w+)\b(?! ")/g),
  ]
    .map(([, component, field]) => ({ component, field }))
    .filter(({ component }) => typeOf(component) in EXPORTS);

  test("every component exists in Alloy", () => {
    expect(found.size).toBeGreaterThanOrEqual(20);
    expect([...found.keys()].filter((name) => !(typeOf(name) in EXPORTS))).toEqual([]);
  });

  test("every component is defined once", () => {
    const names = [...text.matchAll(/^[a-z_.]+ "\w+" \{/gm)].map(([name]) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(names).toHaveLength(found.size);
  });

  test("every reference points to a component that exports it", () => {
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

// Arguments.Validate of Alloy 1.18's prometheus.exporter.kafka. The lab has no Alloy to ask.
test("every exporter of several Kafka brokers has an instance, without which Alloy loads nothing", () => {
  const example = readFileSync(join(ROOT, "examples", "compose", "config.alloy"), "utf8");
  const exporters = [backupConfig, example].flatMap((text) =>
    [...componentsOf(text)].filter(([name]) => typeOf(name) === "prometheus.exporter.kafka"),
  );
  expect(exporters).toHaveLength(2);
  for (const [, body] of exporters) {
    expect(body).toMatch(/^\tinstance +=/m);
  }
});

describe("a secured environment", () => {
  const env = envOf(securedAlloy);

  test("loads every file if it has backups, and a plaintext one loads all except those for certificates", () => {
    const here = readdirSync(join(ROOT, "constructs/alloy"));
    expect(namesOf(backupAlloy).sort()).toEqual(
      here.filter((name) => name.endsWith(".alloy")).sort(),
    );
    expect(namesOf(backupAlloy).filter((name) => name !== "backup.alloy")).toEqual(
      namesOf(securedAlloy),
    );
    expect(namesOf(securedAlloy).filter((name) => name !== "certificates.alloy")).toEqual(
      namesOf(plaintextAlloy),
    );
    for (const { name, content } of filesOf(plaintextAlloy)) {
      expect(filesOf(securedAlloy)).toContainEqual({ name, content });
    }
  });

  test("uses TLS, with Alloy's certificate, for every connection that leaves Alloy's own process", () => {
    const CLIENTS = [
      "loki.write.loki",
      "prometheus.exporter.blackbox.certificates",
      "prometheus.exporter.elasticsearch.opensearch",
      "prometheus.exporter.kafka.kafka",
      "prometheus.remote_write.prometheus",
      "prometheus.scrape.services",
    ];
    const variablesOf = (body: string) =>
      [...body.matchAll(/sys\.env\("(TLS_\w+_FILE)"\)(?! !=)/g)].map(([, name]) => name);
    const found = [...componentsOf(securedConfig)].filter(([, body]) => variablesOf(body).length);
    expect(found.map(([name]) => name).sort()).toEqual(CLIENTS);
    for (const [name, body] of found) {
      expect([name, ...variablesOf(body)]).toEqual([
        ...[name, "TLS_CA_FILE", "TLS_KEY_PAIR_FILE", "TLS_KEY_PAIR_FILE"],
      ]);
    }
    expect(components.get("prometheus.exporter.kafka.kafka")).toMatch(
      /use_tls\s+= sys\.env\("TLS_CA_FILE"\) != ""/,
    );
    expect(securedConfig).not.toMatch(/insecure_skip_verify|ssl_skip_verify/);
    const uploads = securedAlloy.upload.map(({ file }: Json) => file);
    expect(uploads).toEqual(expect.arrayContaining([env.TLS_CA_FILE, env.TLS_KEY_PAIR_FILE]));
    expect(Object.keys(envOf(plaintextAlloy)).filter((name) => name.startsWith("TLS_"))).toEqual(
      [],
    );
  });

  test("scrapes the platform's own services by names in their certificates, on infra_net, where no other container has them", () => {
    const rules = components.get("discovery.relabel.services") ?? "";
    const [scheme, address] = [...rules.matchAll(/regex {9}= (.*TLS_SERVICES.*)/g)].map(
      ([, expression]) => expression,
    );
    const [, replacement] =
      /regex.*TLS_SERVICES.*\n\s+replacement\s+= (".+ \+ .+)/.exec(rules) ?? [];
    const target = (container: string, of: Record<string, string>) => {
      const whole = (expression: string) => new RegExp(`^(?:${evaluated(expression, of)})$`);
      const given = `${container};10.0.0.7:3000`;
      return [
        whole(scheme).test(container) ? "https" : "http",
        whole(address).test(given)
          ? given.replace(whole(address), evaluated(replacement, of))
          : "10.0.0.7:3000",
      ];
    };
    const principals = principalsOf(secured);
    for (const name of SERVICES) {
      const host = `${name}.${secured.networks.infra.name}`;
      expect(target(name, env)).toEqual(["https", `${host}:3000`]);
      expect(principals.get(name)).toContain(host);
    }
    for (const [name, of] of [
      ["my-loki", env],
      ["exit-relay", env],
      ...SERVICES.map((service) => [service, envOf(plaintextAlloy)] as const),
    ] as const) {
      expect([name, ...target(name, of)]).toEqual([name, "http", "10.0.0.7:3000"]);
    }
  });

  test("gives what Loki's proxy passes on the name and the address of Loki", () => {
    const rules = components.get("discovery.relabel.services") ?? "";
    const renamed = [
      ...rules.matchAll(
        /source_labels = \["(\w+)"\]\s+regex {9}= "loki-proxy"\s+replacement {3}= "loki"\s+target_label {2}= "(\w+)"/g,
      ),
    ];
    expect(renamed.map(([, from, to]) => [from, to])).toEqual([
      ["container", "container"],
      ["service", "service"],
    ]);
    // Rules apply in order, and the address follows from the container's name.
    expect(rules.lastIndexOf("loki-proxy")).toBeLessThan(rules.indexOf("TLS_SERVICES"));
    expect(container(synthesize(secured).stacks, "loki-proxy").labels).toContainEqual({
      label: "groundwork.metrics.port",
      value: "3100",
    });
  });
});

test("every discovery asks the engine for the networks of its containers, at least every 5 s", () => {
  const discoveries = ofType("discovery.docker");
  expect(discoveries.map(([name]) => name)).toEqual([
    "discovery.docker.containers",
    "discovery.docker.metrics",
  ]);
  for (const [, body] of discoveries) {
    expect(body).toMatch(
      /name {3}= "network"\s+values = \[sys\.env\("INFRA_NETWORK"\), sys\.env\("PROJECT_NETWORK"\)(, sys\.env\("ENGINE_NETWORK"\), sys\.env\("LOKI_NETWORK"\))?\]/,
    );
    expect(body).toMatch(/host {16}= sys\.env\("ENGINE"\)/);
    expect(body).toMatch(/refresh_interval {4}= "5s"/);
    expect(body).toMatch(/match_first_network = false/);
  }
});

test("logs of finished containers are read too", () => {
  const body = components.get("discovery.docker.containers");
  for (const status of ["created", "running", "exited", "dead"]) {
    expect(body).toContain(`"${status}"`);
  }
});

test("a container on several networks counts once: the platform's own on infra_net, the engine proxy on engine_net, a secured Loki on loki_net, others on project_net", () => {
  const keep = (name: string) =>
    /source_labels = \["__own", "__meta_docker_network_name"\]\s+regex {9}= (.*)\s+action {8}= "keep"/.exec(
      components.get(`discovery.relabel.${name}`) ?? "",
    )?.[1];
  const [own, proxy, loki, other] = ["INFRA", "ENGINE", "LOKI", "PROJECT"].map(
    (network) => `sys.env("${network}_NETWORK")`,
  );
  expect(keep("containers")).toBe(
    `"own;" + ${own} + "|proxy;" + ${proxy} + "|loki;" + ${loki} + "|;" + ${other}`,
  );
  expect(keep("metrics")).toBe(`"own;" + ${own} + "|;" + ${other}`);
});

test("a read position depends only on labels that stay when a container stops", () => {
  const body = components.get("discovery.relabel.containers") ?? "";
  expect(body.trimEnd()).toMatch(
    /regex {2}= "__meta_docker_container_id\|container\|service\|stack\|role\|network\|machine"\s+action = "labelkeep"\s+\}$/,
  );
});

describe("an application that is scraped", () => {
  const scrape = (name: string) => components.get(`prometheus.scrape.${name}`) ?? "";
  const relabel = (name: string) => components.get(`discovery.relabel.${name}`) ?? "";

  test("is in a job of its own, and the platform's own services are in another", () => {
    for (const [name, action] of [
      ["services", "keep"],
      ["applications", "drop"],
    ]) {
      expect(relabel(name)).toMatch(/targets = discovery\.relabel\.metrics\.output/);
      expect(relabel(name)).toMatch(
        new RegExp(`source_labels = \\["__own"\\]\\s+regex {9}= "own"\\s+action {8}= "${action}"`),
      );
      expect(scrape(name)).toMatch(
        new RegExp(`targets\\s+= discovery\\.relabel\\.${name}\\.output\n`),
      );
      expect(scrape(name)).toMatch(new RegExp(`job_name\\s+= "${name}"\n`));
    }
    expect(relabel("metrics")).toMatch(/regex {2}= "__own\|[\w|]+"\s+action = "labelkeep"/);
  });

  test("never gets Alloy's certificate", () => {
    expect(scrape("applications")).not.toMatch(/tls_config|TLS_/);
    expect(relabel("applications")).not.toMatch(/__scheme__|TLS_/);
  });

  test("cannot lead Alloy to another address", () => {
    for (const name of ["services", "applications"]) {
      expect(scrape(name)).toMatch(/follow_redirects\s+= false/);
    }
  });

  test("cannot send any amount of metrics", () => {
    expect(
      [...scrape("applications").matchAll(/(\w+_limit)\s+= (.+)/g)].map(([, name, limit]) => [
        ...[name, limit],
      ]),
    ).toEqual([
      ["body_size_limit", '"10MiB"'],
      ["sample_limit", "20000"],
      ["label_limit", "64"],
      ["label_name_length_limit", "256"],
      ["label_value_length_limit", "2048"],
    ]);
  });

  test("cannot send a metric with the name of one that an alert or a dashboard reads", () => {
    expect(scrape("applications")).toMatch(/= \[prometheus\.relabel\.applications\.receiver\]\n/);
    const rules = components.get("prometheus.relabel.applications") ?? "";
    const [, names] = /source_labels = \["__name__"\]\s+regex\s+= "(.+)"\n/.exec(rules) ?? [];
    expect(rules).toMatch(/target_label\s+= "__name__"\s+replacement\s+= "application_\$1"/);
    const renamed = new RegExp(`^(?:${names})$`);
    const read = new Set([
      ...catalog.alertGroups.flatMap(({ rules: alerts, recordingRules = [] }) => [
        ...[...alerts, ...recordingRules].flatMap(({ expr }) => ownMetricsOf(expr)),
        ...recordingRules.map(({ record }) => record),
      ]),
      ...catalog.dashboards.dashboards.flatMap(({ queries }) =>
        queries
          .filter(({ dataSource }) => dataSource === "prometheus")
          .flatMap(({ expr }) => ownMetricsOf(withoutVariables(expr))),
      ),
    ]);
    expect(read.size).toBeGreaterThan(50);
    // Every target has `up`, and every client library `process_*`. Only the job says whose they are.
    expect(
      [...read].filter((name) => !renamed.test(name) && !/^(up$|process_)/.test(name)),
    ).toEqual([]);
    const scraped = readdirSync(join(ROOT, "__tests__/dashboards"))
      .filter((file) => file.endsWith("-metrics.txt"))
      .flatMap((file) => readFileSync(join(ROOT, "__tests__/dashboards", file), "utf8").split("\n"))
      .filter((line) => /^\w+$/.test(line));
    expect(scraped.length).toBeGreaterThan(500);
    expect(
      [
        ...scraped,
        "alloy_component_controller_running_components",
        "grafana_alerting_rule_evaluations_total",
        "loki_request_duration_seconds_count",
        "machine_memory_bytes",
        "node_boot_time_seconds",
        "node_load15",
        "node_network_receive_bytes_total",
        "prometheus_build_info",
        "prometheus_sd_discovered_targets",
        "prometheus_tsdb_head_series",
      ].filter((name) => !renamed.test(name)),
    ).toEqual([]);
    for (const name of [
      "http_requests_total",
      "kafka_consumer_fetch_manager_records_lag",
      "kafka_producer_record_send_total",
      "nodejs_heap_size_used_bytes",
      "container_pool_size",
      "machine_temperature_celsius",
      "node_pool_size",
      // Of client libraries.
      "prometheus_net_metric_families",
      "promhttp_metric_handler_requests_total",
      "up",
    ]) {
      expect([name, renamed.test(name)]).toEqual([name, false]);
    }
  });
});

test("a container on project_net with the name of the exit relay or of a node sends no exit codes, no failed logins and no request latency", () => {
  const relay = `source_labels = ["network", "service"]
		regex         = sys.env("INFRA_NETWORK") + ";" + sys.env("EXIT_RELAY")`;
  expect(components.get("discovery.relabel.exits")).toContain(
    `${relay}\n\t\taction        = "keep"`,
  );
  expect(components.get("discovery.relabel.logs")).toContain(
    `${relay}\n\t\taction        = "drop"`,
  );
  for (const name of ["refusals", "requests"]) {
    const [first] = (components.get(`loki.process.${name}`) ?? "").split("stage.label_keep");
    expect(first).toContain(
      `selector = "{network!=\\"" + sys.env("INFRA_NETWORK") + "\\"}"\n\t\taction   = "drop"`,
    );
  }
});

test("every exporter is scraped", () => {
  const exporters = [...components.keys()].filter((name) =>
    name.startsWith("prometheus.exporter."),
  );
  const scraped = ofType("prometheus.scrape").map(
    ([, body]) => /targets\s+= ([\w.]+)\.targets/.exec(body)?.[1],
  );
  expect(exporters).toHaveLength(6);
  expect(exporters.filter((name) => !scraped.includes(name))).toEqual([]);
});

test("the space of two disks is measured: the host's, by the name `/`, and the engine's, by Alloy's own volume", () => {
  const mounted = plaintextAlloy.volumes.map((mount: Json) => mount.container_path);
  const disks = components.get("prometheus.relabel.disks") ?? "";
  const [keep, ofUp, renamed] = [...disks.matchAll(/regex\s+= "(.+)"/g)].map(([, regex]) => regex);
  const isKept = (name: string, mount: string) =>
    new RegExp(`^(?:${keep})$`).test([name, mount].join(";"));
  for (const mount of ["/alloy", "/host/root"]) {
    expect(mounted).toContain(mount);
    expect(isKept("node_filesystem_avail_bytes", mount)).toBe(true);
  }
  expect(isKept("node_filesystem_avail_bytes", "/etc/hosts")).toBe(false);
  expect(isKept("node_scrape_collector_success", "")).toBe(false);
  // So that a scrape that fails alerts, in a job of its own: the host's has an `up` too.
  expect(isKept("up", "")).toBe(true);
  expect(ofUp).toBe("up");
  expect(disks).toMatch(/target_label\s+= "job"\s+replacement\s+= "integrations\/disks"/);
  expect(renamed).toBe("/host/root");
  expect(disks).toMatch(/target_label\s+= "mountpoint"\s+replacement\s+= "\/"/);
  expect(components.get("prometheus.exporter.unix.host")).toContain(
    'disable_collectors = ["filesystem"]',
  );
});

/** Returns every gauge as `<prefix><name> <max_idle_duration>`. */
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

test("exit codes are gauges that a log line sets, so that reading a line twice changes nothing", () => {
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
  expect(gaugesOf(exits)).toHaveLength(12);
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

test("the counters of an application do not multiply with the names of its containers", () => {
  const [, perService] = ofApplications.split("stage.label_drop");
  expect(perService).toMatch(
    /^ \{\s+values = \["container", "container_id", "name", "cluster", "environment", "image"\]/,
  );
  expect(gaugesOf(perService)).toHaveLength(2);
});

test("the ID of an application's container is a label of nothing except the container's name", () => {
  const [, named] = ofApplications.split("stage.labels");
  expect(named).toMatch(
    /^ \{\s+values = \{container_id = "id", name = "container", cluster = "", environment = "", image = ""\}/,
  );
  expect(named).toContain('selector = "{container_id!=\\"\\"}"');
  expect(gaugesOf(named.split("stage.label_drop")[0])).toEqual(["groundwork_container_info 2h"]);
});

test("the id of a platform container is a label only of its info metric", () => {
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

test("only cgroups of containers are kept, and their paths yield the container id", () => {
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

test("the container sets every variable that the configuration reads, and no other", () => {
  for (const [body, text, unset] of [
    // With one machine, the machine has no name.
    [plaintextAlloy, config, ["MACHINE", "TLS_CA_FILE", "TLS_KEY_PAIR_FILE", "TLS_SERVICES"]],
    [securedAlloy, securedConfig, ["MACHINE"]],
  ]) {
    const read = new Set([...text.matchAll(/sys\.env\("(\w+)"\)/g)].map(([, name]) => name));
    expect([...Object.keys(envOf(body)), ...unset].sort()).toEqual([...read].sort());
  }
  expect(envOf(plaintextAlloy)).toMatchObject({
    ENGINE: "unix:///run/docker.sock",
    ENGINE_NETWORK: "infra_net",
    ENGINE_PROXY: "",
    ENVIRONMENT: "laptop",
    EXIT_RELAY: "exit-relay",
    KAFKA_BOOTSTRAP_SERVERS:
      "kafka-1.infra_net:19092,kafka-2.infra_net:19092,kafka-3.infra_net:19092",
    OPENSEARCH_URL: "http://opensearch.infra_net:9200",
    LOKI_NETWORK: "infra_net",
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

  test("every Alloy adds its machine as a label, except to data that belongs to no machine", () => {
    expect(alloys(laptop).map((body) => envOf(body).MACHINE)).toEqual(["a", "b", "c"]);
    for (const text of [config, securedConfig]) {
      const [, first, second] = (
        componentsOf(text).get("prometheus.remote_write.prometheus") ?? ""
      ).split("write_relabel_config");
      expect(first).toMatch(/action = "labeldrop"/);
      expect(second).toMatch(/target_label = "machine"\s+replacement {2}= sys.env\("MACHINE"\)/);
    }
  });

  test.each([
    ["plaintext", laptop, ["opensearch.alloy", "kafka.alloy"]],
    ["secured", secured, ["opensearch.alloy", "certificates.alloy", "kafka.alloy"]],
  ])(
    "in a %s environment one Alloy, beside Prometheus, measures both clusters",
    (_, environment, files) => {
      const placed = { ...environment, placement: { prometheus: "b" } };
      const [a, b, c] = alloys(placed);
      for (const other of [a, c]) {
        expect(namesOf(b).filter((file) => !namesOf(other).includes(file))).toEqual(files);
        expect(
          Object.keys(envOf(other)).filter((name) => /KAFKA|OPENSEARCH|CERT/.test(name)),
        ).toEqual([]);
      }
      expect(envOf(b).OPENSEARCH_URL).toMatch(/^https?:\/\/opensearch[.:]/);
    },
  );
});
