// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a consumer group may be named so.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog } from "../../../catalog";
import { laptop } from "../../../environments/laptop";
import { knownEnvironments } from "../../../operations/synthesis/environment";
import { container, fileOf, type Json, resources, synthesize } from "../../support/platform";
import { ROOT } from "../../support/root";

const { stacks } = synthesize(laptop);

/** What Prometheus records of the declaration, as `name{labels}` to number. */
function declared(environment: keyof typeof knownEnvironments, of = catalog) {
  const prometheus = container(synthesize(knownEnvironments[environment], of).stacks, "prometheus");
  const { groups } = JSON.parse(fileOf(prometheus, "/etc/prometheus/declared.json"));
  return Object.fromEntries(
    groups[0].rules.map(({ record, labels = {}, expr }: Json) => [
      [record.replace("groundwork_declared_", ""), ...Object.values(labels)].join(" "),
      Number(/^(?:vector\(|.+ \* )(\d+)\)?$/.exec(expr)?.[1]),
    ]),
  );
}

const scraped = (...containers: string[]) =>
  Object.fromEntries(containers.map((name) => [`scraped_container ${name}`, 1]));

describe("Prometheus", () => {
  test("records what is declared, and counts nothing twice", () => {
    const MiB = 1024 * 1024;
    expect(declared("laptop")).toEqual({
      opensearch_nodes: 3,
      kafka_brokers: 3,
      kafka_min_insync_replicas: 2,
      kafka_max_lag_seconds: 600,
      "init_sidecar os-init": 1,
      "init_sidecar kafka-init": 1,
      ...scraped("grafana", "loki", "prometheus"),
      ...Object.fromEntries(
        Object.values(stacks)
          .flatMap((stack) => Object.values<Json>(stack.resource.docker_container ?? {}))
          .map((body) => [`memory_reservation_bytes ${body.name}`, body.memory_reservation * MiB]),
      ),
    });
  });

  test("records every machine if there are several", () => {
    expect(Object.keys(declared("lab-three")).filter((name) => /^machine/.test(name))).toEqual([
      "machine a",
      "machine b",
      "machine c",
    ]);
  });

  test("records what Alloy scrapes, without excluded services, and the listeners that it probes", () => {
    const ofKind = (environment: keyof typeof knownEnvironments) =>
      Object.fromEntries(
        Object.entries(declared(environment)).filter(([name]) =>
          /^(scraped_container|tls_listener) /.test(name),
        ),
      );
    expect(ofKind("lab")).toEqual(scraped("prometheus"));
    const services = [
      ...["kafka-1", "kafka-2", "kafka-3", "loki"],
      ...["opensearch-1", "opensearch-2", "opensearch-3", "prometheus"],
    ];
    // The proxy of a secured Loki, by Loki's name.
    expect(ofKind("production")).toEqual({
      ...scraped("grafana", "loki", "prometheus"),
      ...Object.fromEntries(services.map((service) => [`tls_listener ${service}`, 1])),
    });
  });

  test("records a topic's setting only if it is not the cluster's default", () => {
    const topics = [
      { name: "relaxed", partitions: 1, configs: { "min.insync.replicas": 1 } },
      { name: "ordinary", partitions: 1 },
    ];
    const metrics = declared("lab", { ...catalog, topics, applications: [] });
    expect(Object.keys(metrics).filter((name) => name.startsWith("kafka_topic"))).toEqual([
      "kafka_topic_min_insync_replicas relaxed",
    ]);
    expect(metrics["kafka_topic_min_insync_replicas relaxed"]).toBe(1);
  });

  test("records the lag that an application allows its consumer groups, of every group with a prefix", () => {
    const groups = ["or.ders", 'or"d${x}-*'];
    const applications = [
      { name: "orders", consumerGroups: groups, maxConsumerLagSeconds: 900 },
      { name: "reports", consumerGroups: ["reports"] },
      { name: "words", streams: "word-count", maxConsumerLagSeconds: 300 },
    ];
    const prometheus = container(
      synthesize(laptop, { ...catalog, applications }).stacks,
      "prometheus",
    );
    // Terraform reads "$${" as "${".
    const text = fileOf(prometheus, "/etc/prometheus/declared.json");
    const rules = JSON.parse(text.replaceAll("$${", "${")).groups[0].rules.filter(
      ({ record }: Json) => record === "groundwork_declared_kafka_group_max_lag_seconds",
    );
    expect(text).not.toMatch(/[^$]\$\{/);
    expect(rules).toEqual([
      {
        record: "groundwork_declared_kafka_group_max_lag_seconds",
        expr: "vector(900)",
        labels: { application: "orders", consumergroup: "or.ders" },
      },
      {
        record: "groundwork_declared_kafka_group_max_lag_seconds",
        expr: expect.stringMatching(/ \* 900$/),
        labels: { application: "orders" },
      },
      {
        record: "groundwork_declared_kafka_group_max_lag_seconds",
        expr: "vector(300)",
        labels: { application: "words", consumergroup: "word-count" },
      },
    ]);
    const members = (consumergroup: string) =>
      `kafka_consumergroup_members{job="integrations/kafka", consumergroup=${JSON.stringify(consumergroup)}}`;
    const test = {
      interval: "1m",
      input_series: [
        ...['or"d${x}-a', 'or"d${x}-', "or.ders", "orders"].map(members),
        members('or"d${x}-b').replace("integrations/kafka", "applications"),
      ].map((series) => ({ series, values: "2x5" })),
      promql_expr_test: [
        {
          expr: "groundwork_declared_kafka_group_max_lag_seconds",
          eval_time: "2m",
          exp_samples: [
            ...["or.ders", 'or"d${x}-a', 'or"d${x}-'].map((group) => ["orders", group, 900]),
            ["words", "word-count", 300],
          ].map(([application, group, value]) => ({
            labels: `groundwork_declared_kafka_group_max_lag_seconds{application="${application}", consumergroup=${JSON.stringify(group)}}`,
            value,
          })),
        },
      ],
    };
    const folder = mkdtempSync(join(tmpdir(), "declared-"));
    writeFileSync(join(folder, "rules.json"), JSON.stringify({ groups: [{ name: "a", rules }] }));
    writeFileSync(
      join(folder, "test.json"),
      JSON.stringify({ rule_files: ["rules.json"], tests: [test] }),
    );
    const promtool = execFileSync(join(ROOT, "lab", "promtool.sh"), { encoding: "utf8" }).trim();
    const { output, status } = spawnSync(promtool, ["test", "rules", join(folder, "test.json")], {
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true });
    expect(status === 0 ? "" : output.join("")).toBe("");
  });

  test("evaluates the recording rules of alerts/, and Grafana only the alerts", () => {
    const recordingRules = [{ record: "job:up:sum", expr: "sum by (job) (up)" }];
    const alertGroups = [
      { name: "recorded", interval: "30s", rules: [], recordingRules },
      ...catalog.alertGroups,
    ];
    const platform = synthesize(laptop, { ...catalog, alertGroups }).stacks;
    const prometheus = container(platform, "prometheus");
    expect(fileOf(prometheus, "/etc/prometheus/groundwork.yml")).toContain(
      "\n  - /etc/prometheus/recording.json\n",
    );
    expect(JSON.parse(fileOf(prometheus, "/etc/prometheus/recording.json"))).toEqual({
      groups: [
        { name: "recorded", interval: "30s", rules: recordingRules },
        ...catalog.alertGroups.flatMap(({ name, interval, recordingRules: rules }) =>
          rules ? { name, interval, rules } : [],
        ),
      ],
    });
    const groups = resources(platform, "grafana_rule_group").map(({ name }) => name);
    expect(groups.length).toBeGreaterThan(3);
    expect(groups).not.toContain("recorded");
  });

  test("accepts what Alloy sends, keeps it for 15 days, and has no API to delete it or to stop", () => {
    const { command } = container(stacks, "prometheus");
    expect(command).toEqual([
      "--config.file=/etc/prometheus/groundwork.yml",
      "--storage.tsdb.path=/prometheus",
      "--storage.tsdb.retention.time=15d",
      "--web.enable-remote-write-receiver",
    ]);
  });
});
