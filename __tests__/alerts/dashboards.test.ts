import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog } from "../../catalog";
import { ROOT } from "../support/root";

const promtool = execFileSync(join(ROOT, "lab", "promtool.sh"), {
  encoding: "utf8",
}).trim();

/** Returns the query of a panel, with all values of its variables. */
function exprOf(title: string, panel: string, index = 0): string {
  const dashboard = catalog.dashboards.dashboards.find((one) => one.title === title);
  const found = dashboard?.queries.filter((query) => query.panel === panel)[index];
  if (!found) {
    throw new Error(`dashboard ${title} has no query ${index} in panel ${panel}`);
  }
  return expand(found.expr);
}

function expand(expr: string): string {
  return expr.replace(/\$(topic|container)\b/g, ".+").replaceAll("$__rate_interval", "1m");
}

interface Case {
  /** The series by name and labels, in promtool's notation, with a sample per minute. */
  readonly series: Readonly<Record<string, string>>;
  readonly expr: string;
  readonly at: string;
  /** The expected result of the query. */
  readonly samples: Readonly<Record<string, number>>;
}

/** Returns promtool's errors for a file with this content, or an empty string. */
function objections(command: "test" | "check", content: object): string {
  const directory = mkdtempSync(join(tmpdir(), "promql-"));
  const file = join(directory, "file.yml");
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify(content));
  const { stdout, stderr, status } = spawnSync(promtool, [command, "rules", file], {
    encoding: "utf8",
  });
  rmSync(directory, { recursive: true });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

/** The jobs of Alloy's exporters, by the beginning of their metrics. What Prometheus records itself has none. */
const JOBS: Readonly<Record<string, string>> = {
  kafka: "kafka",
  elasticsearch: "elasticsearch",
  container: "cadvisor",
  node: "unix",
  groundwork: "self",
};

/** Gives a series the job that it has in a platform, unless it has one. */
function withJob(series: string): string {
  const [, name, labels = ""] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
  if (labels.includes("job=") || name.startsWith("groundwork_declared_")) {
    return series;
  }
  const job = `job="integrations/${JOBS[name.split("_")[0]]}"`;
  return `${name}{${[job, labels].filter(Boolean).join(",")}}`;
}

/** Returns promtool's errors, or an empty string if every query returns the expected samples. */
function complaints(...cases: Case[]): string {
  const tests = cases.map(({ series, expr, at, samples }) => ({
    interval: "1m",
    input_series: Object.entries(series).map(([name, values]) => ({
      series: withJob(name),
      values,
    })),
    promql_expr_test: [
      {
        expr,
        eval_time: at,
        exp_samples: Object.entries(samples).map(([labels, value]) => ({ labels, value })),
      },
    ],
  }));
  return objections("test", { evaluation_interval: "1m", tests });
}

test("Prometheus accepts every PromQL query", () => {
  const queries = catalog.dashboards.dashboards.flatMap(({ title, queries: all }) =>
    all
      .filter(({ dataSource }) => dataSource === "prometheus")
      .map(({ panel, expr }) => ({ panel: `${title}: ${panel}`, expr: expand(expr) })),
  );
  expect(queries.length).toBeGreaterThan(50);
  const rules = queries.map(({ panel, expr }) => ({ record: "a", labels: { panel }, expr }));
  expect(objections("check", { groups: [{ name: "panels", rules }] })).toBe("");
});

describe("consumer lag in time", () => {
  const recorded = (name: string) =>
    catalog.alertGroups
      .flatMap(({ recordingRules = [] }) => recordingRules)
      .find(({ record }) => record === name)?.expr ?? "";
  // Recorded of each partition first.
  const expr = recorded("consumergroup_topic:consumer_lag:seconds").replace(
    'consumergroup_topic_partition:consumer_lag:seconds{job=""}',
    () => recorded("consumergroup_topic_partition:consumer_lag:seconds"),
  );

  test("is on the dashboard of Kafka as it is recorded", () => {
    const name = 'consumergroup_topic:consumer_lag:seconds{job="", topic=~".+"}';
    expect(exprOf("Kafka", "Consumer lag, time")).toBe(`max by (consumergroup, topic) (${name})`);
  });
  const of = (partition: number) => `topic="t",partition="${partition}"`;

  /** Returns the exporter's series of a partition, from the newest and the committed offsets in promtool's notation. */
  const partition = (number: number, newest: string, committed: string, backlog: string) => ({
    [`kafka_topic_partition_current_offset{${of(number)}}`]: newest,
    [`kafka_consumergroup_current_offset{consumergroup="g",${of(number)}}`]: committed,
    [`kafka_consumergroup_uncommitted_offsets{consumergroup="g",${of(number)}}`]: backlog,
  });
  const lagOf = (seconds: number) => ({ '{consumergroup="g", topic="t"}': seconds });

  test("is zero for a group that has read everything, also of a topic without writes", () => {
    const series = partition(0, "500x1501", "500x1501", "0x1501");
    expect(complaints({ series, expr, at: "1501m", samples: lagOf(0) })).toBe("");
  });

  test("is the age of the oldest record that is not committed, for a group that progresses", () => {
    // 60 records a minute, read 10 minutes after they are written. The next offset was seen a minute later.
    const series = partition(0, "0+60x60", "0x10 60+60x49", "600x60");
    expect(complaints({ series, expr, at: "60m", samples: lagOf(540) })).toBe("");
  });

  test("is the age of a burst, of which most is read, and not the share of it that is left", () => {
    const series = {
      ...partition(0, "0x9 10000x51", "0x9 9900x51", "0x9 100x51"),
      // The exporter takes the latest scrape for the time at which the newest record was written.
      [`kafka_consumer_lag_millis{consumergroup="g",${of(0)}}`]: "30000x60",
    };
    expect(complaints({ series, expr, at: "30m", samples: lagOf(1200) })).toBe("");
  });

  test("is that of the partition that is most behind, whichever of them the exporter measures", () => {
    const series = {
      ...partition(0, "0+60x60", "0+60x60", "0x60"),
      ...partition(1, "0x9 500x51", "0x60", "0x9 500x51"),
      [`kafka_consumer_lag_millis{consumergroup="g",${of(0)}}`]: "1000x60",
    };
    expect(complaints({ series, expr, at: "30m", samples: lagOf(1200) })).toBe("");
  });

  test("does not count partitions of which the group has committed nothing", () => {
    const series = {
      ...partition(0, "500x60", "500x60", "0x60"),
      ...partition(1, "0x9 500x51", "-1x60", "-1x60"),
      [`kafka_consumer_lag_millis{consumergroup="g",${of(1)}}`]: "9000000x60",
    };
    expect(complaints({ series, expr, at: "60m", samples: lagOf(0) })).toBe("");
  });

  test("is exact to 5 minutes after half an hour", () => {
    const series = partition(0, "0x61 500x240", "0x301", "0x61 500x240");
    expect(complaints({ series, expr, at: "301m", samples: lagOf(236 * 60) })).toBe("");
  });

  test.each([
    // Sampled every 5 minutes.
    ["a day", "1501m", "500x1501", 86_160],
    ["the time that the topic is watched", "60m", "_x29 500x60", 1800],
  ])("is %s, the least that it can be, when nothing was written since", (_, at, newest, age) => {
    const series = partition(0, newest, "0x1501", "500x1501");
    expect(complaints({ series, expr, at, samples: lagOf(age) })).toBe("");
  });
});

test.each([
  ["Kafka", "Brokers", "kafka_brokers", "groundwork_declared_kafka_brokers"],
  ["Platform overview", "Kafka brokers", "kafka_brokers", "groundwork_declared_kafka_brokers"],
  ...["OpenSearch: Nodes", "Platform overview: Search nodes"].map((name) => [
    ...name.split(": "),
    "elasticsearch_cluster_health_number_of_nodes",
    "groundwork_declared_opensearch_nodes",
  ]),
])("%s: %s says how many are there of how many", (title, panel, present, declared) => {
  const expr = exprOf(title, panel);
  const cases = [
    [3, 1],
    [2, 2 / 3],
  ].map(([there, share]) => ({
    series: { [present]: `${there}x5`, [declared]: "3x5" },
    samples: { [`{declared="3", present="${there}"}`]: share },
  }));
  expect(complaints(...cases.map((one) => ({ ...one, expr, at: "5m" })))).toBe("");
});

test("a metric of an application is not taken for the exporter's of the same name", () => {
  const series = {
    kafka_brokers: "2x5",
    'kafka_brokers{job="applications"}': "9x5",
    groundwork_declared_kafka_brokers: "3x5",
    'groundwork_declared_kafka_brokers{job="applications"}': "9x5",
  };
  const samples = { '{declared="3", present="2"}': 2 / 3 };
  const expr = exprOf("Platform overview", "Kafka brokers");
  expect(complaints({ series, expr, at: "5m", samples })).toBe("");
});

test("memory and the number of containers include only the platform's own containers", () => {
  const series = {
    'container_memory_working_set_bytes{container_id="k1"}': "700x5",
    'container_memory_working_set_bytes{container_id="somebody-elses"}': "9000x5",
    // The container before its replacement is no longer measured.
    'groundwork_container_info{container_id="k0",name="kafka-1",container="kafka-1"}': "1x5",
    'groundwork_container_info{container_id="k1",name="kafka-1",container="kafka-1"}': "1x5",
  };
  const cases: [string, string, Case["samples"]][] = [
    ["Containers", "Containers", { "{}": 1 }],
    ["Containers", "Memory in use", { "{}": 700 }],
    ["Containers", "Memory", { '{name="kafka-1"}': 700 }],
    ["Platform overview", "Memory in use", { '{name="kafka-1"}': 700 }],
  ];
  const asked = cases.map(([title, panel, samples]) => ({
    series,
    expr: exprOf(title, panel),
    at: "5m",
    samples,
  }));
  expect(complaints(...asked)).toBe("");
});

test("closest to the limit are the highest of memory, heap, disk and file descriptors", () => {
  const series = {
    'groundwork_container_info{container_id="k1",name="kafka-1"}': "1x5",
    'container_memory_working_set_bytes{container_id="k1"}': "50x5",
    'container_spec_memory_limit_bytes{container_id="k1"}': "100x5",
    'container_memory_working_set_bytes{container_id="somebody-elses"}': "99x5",
    'container_spec_memory_limit_bytes{container_id="somebody-elses"}': "100x5",
    'elasticsearch_jvm_memory_used_bytes{name="opensearch-1",area="heap"}': "80x5",
    'elasticsearch_jvm_memory_max_bytes{name="opensearch-1",area="heap"}': "100x5",
    'node_filesystem_avail_bytes{mountpoint="/"}': "10x5",
    'node_filesystem_size_bytes{mountpoint="/"}': "100x5",
    'process_open_fds{job="services",container="loki"}': "1x5",
    'process_max_fds{job="services",container="loki"}': "10x5",
  };
  const samples = {
    '{name="kafka-1", what="kafka-1: memory"}': 0.5,
    '{name="opensearch-1", what="opensearch-1: heap"}': 0.8,
    '{what="host: disk"}': 0.9,
    '{container="loki", what="loki: open files"}': 0.1,
  };
  const expr = exprOf("Platform overview", "Closest to the limit");
  expect(complaints({ series, expr, at: "5m", samples })).toBe("");
});

test("a container that exited is listed for a day, whatever its role, even if the gauge disappears meanwhile", () => {
  const code = (container: string, role: string) =>
    `groundwork_container_exit_code{container="${container}",service="s",role="${role}"}`;
  const finished = (container: string, role: string) =>
    code(container, role).replace("exit_code", "finished_timestamp_seconds");
  const series = {
    [code("app-1", "application")]: "3x10",
    [finished("app-1", "application")]: "86400x10",
    // Two days old, and repeated by the relay.
    [code("old", "service")]: "1x1600",
    [finished("old", "service")]: "0x1600",
  };
  const cases: [string, number, Case["samples"]][] = [
    ["1442m", 0, { '{container="app-1"}': 86_400_000 }],
    ["1442m", 1, { '{container="app-1"}': 3 }],
    ["3000m", 1, {}],
  ];
  const asked = cases.map(([at, index, samples]) => ({
    series,
    expr: exprOf("Platform overview", "Exited within a day", index),
    at,
    samples,
  }));
  expect(complaints(...asked)).toBe("");
});

test("failures of an application are shown for 15 minutes after the last one, in whichever of its containers", () => {
  const of = 'service="orders",stack="shop",role="application"';
  const series = {
    [`groundwork_application_failures{${of}}`]: "_ 1 2 2x60",
    [`groundwork_application_failed_timestamp_seconds{${of}}`]: "_ 60 120 120x60",
  };
  const expr = exprOf("Containers", "Application failures");
  const cases: [string, Case["samples"]][] = [
    ["0m", {}],
    ["1m", { '{service="orders"}': 1 }],
    ["16m", { '{service="orders"}': 2 }],
    ["18m", {}],
  ];
  expect(complaints(...cases.map(([at, samples]) => ({ series, expr, at, samples })))).toBe("");
});

test("restarts within 15 minutes are those of services and applications, not of sidecars, which deploys run again", () => {
  const finished = (container: string, role: string) =>
    `groundwork_container_finished_timestamp_seconds{container="${container}",service="s",role="${role}"}`;
  const series = {
    [finished("alloy", "service")]: "10x10 700x10",
    [finished("orders-1", "application")]: "10x10 700 720 740x10",
    [finished("os-init", "init")]: "10x10 700x10",
  };
  const samples = { '{container="alloy"}': 1, '{container="orders-1"}': 3 };
  const expr = exprOf("Containers", "Restarts within 15 minutes");
  expect(complaints({ series, expr, at: "14m", samples })).toBe("");
});

test("an exit counts as out of memory if the kernel killed a process in it at the time, not if it did so earlier", () => {
  const of = (name: string) => `{container="${name}",service="s",role="service"}`;
  const series: Record<string, string> = {};
  for (const [name, code, finished, killed] of [
    ["main", 137, 120, 121],
    ["child", 1, 120, 115],
    ["before", 1, 300, 120],
    ["kill", 137, 120, undefined],
  ] as const) {
    series[`groundwork_container_exit_code${of(name)}`] = `${code}x10`;
    series[`groundwork_container_finished_timestamp_seconds${of(name)}`] = `${finished}x10`;
    if (killed) {
      series[`groundwork_container_oom_killed_timestamp_seconds${of(name)}`] = `${killed}x10`;
    }
  }
  const samples = {
    '{container="main"}': 1137,
    '{container="child"}': 1001,
    '{container="before"}': 1,
    '{container="kill"}': 137,
  };
  const expr = exprOf("Platform overview", "Exited within a day", 1);
  expect(complaints({ series, expr, at: "8m", samples })).toBe("");
});

test("out-of-sync replicas are those of the topic's worst partition, for any replication factor", () => {
  const series: Record<string, string> = {};
  for (const [topic, partition, replicas, inSync] of [
    ["a", 0, 3, 3],
    ["a", 1, 3, 1],
    ["single", 0, 1, 1],
  ]) {
    const labels = `topic="${topic}",partition="${partition}"`;
    series[`kafka_topic_partition_replicas{${labels}}`] = `${replicas}x5`;
    series[`kafka_topic_partition_in_sync_replica{${labels}}`] = `${inSync}x5`;
  }
  const expr = exprOf("Kafka", "Replicas out of sync, by topic");
  const samples = { '{topic="a"}': 2, '{topic="single"}': 0 };
  expect(complaints({ series, expr, at: "5m", samples })).toBe("");
});
