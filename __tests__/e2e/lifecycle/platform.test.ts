import { DOCKER_CLI_IMAGE, KAFKA_IMAGE, resolveTopic } from "../../../constructs";
import { renderTopics, TOPICS_FILE } from "../../../constructs/kafka/declared-topics";
import { synthesizedContainers as containersOfLab } from "../../../lab/bench/deploy";
import { runSidecar } from "../../../lab/bench/sidecar-run";
import type { ContainerResource } from "../../../operations/synthesis/container";
import { detectTerraform } from "../../../operations/terraform/binary";
import { eventually } from "../../support/eventually";
import {
  cdktf,
  deploy,
  deployCatalog,
  docker,
  driftOf,
  expectDone,
  expectEveryVolume,
  freshLab,
  kafka,
  npm,
  OF_THE_LAB,
  onceItSays,
  openSearch,
  records,
  removeTrials,
  rerun,
  run,
  synthesizedContainers,
  TRIAL,
  topic,
} from "../../support/lab";
import type { Json } from "../../support/platform";

const COUNT = 1000;
/** Fills a volume with a file of a known size and age. */
const WRITE =
  "head -c 3000000 /dev/urandom >/data/file && touch -d '2026-01-02 03:04' /data/file /data";
const STACKS = ["lab-network", "lab-storage", "lab-data", "lab-messaging", "lab-observability"];

function exitCodeOf(container: string): number {
  return Number(docker("inspect", "--format", "{{.State.ExitCode}}", container));
}

beforeAll(() => freshLab());

describe("a first deploy", () => {
  beforeAll(() => expectDone(deploy()));

  test("AUT-001: os-init has completed, so logs_template is active and applied", () => {
    expect(exitCodeOf("os-init")).toBe(0);
    expect(openSearch("GET", "/_index_template/logs_template").index_templates).toHaveLength(1);
    openSearch("PUT", "/logs-applied");
    const { settings, mappings } = openSearch("GET", "/logs-applied")["logs-applied"];
    expect(settings.index).toMatchObject({ number_of_shards: "1", number_of_replicas: "1" });
    expect(mappings.properties).toMatchObject({
      "@timestamp": { type: "date" },
      message: { type: "text" },
      service: { type: "keyword" },
      trace_id: { type: "keyword" },
    });
  });

  test("AUT-002: kafka-init exited successfully, so infra-events exists with min.insync.replicas=2", () => {
    expect(exitCodeOf("kafka-init")).toBe(0);
    expect(topic("infra-events")).toEqual({
      partitions: 3,
      replicationFactor: 3,
      configs: "min.insync.replicas=2",
    });
    expect(topic("application-logs")).toEqual({
      partitions: 6,
      replicationFactor: 3,
      configs: "min.insync.replicas=2",
    });
  });

  test("AUT-003: the engine reserves on every container what the stacks declare", () => {
    const declared = synthesizedContainers();
    expect(declared).toHaveLength(10);
    for (const { name, memory, memory_reservation } of declared) {
      const limits = docker(
        "inspect",
        "--format",
        "{{.HostConfig.MemoryReservation}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}",
        name,
      );
      const bytes = (mebibytes: number) => mebibytes * 1024 * 1024;
      expect([name, limits]).toEqual([
        name,
        `${bytes(memory_reservation)} ${bytes(memory)} ${bytes(memory)}`,
      ]);
    }
  });

  test("leaves both clusters healthy", async () => {
    await eventually(() => {
      const { status, number_of_nodes } = openSearch("GET", "/_cluster/health");
      return status === "green" && number_of_nodes === 3 ? [] : [{ status, number_of_nodes }];
    });
    await eventually(() => {
      const { output } = run("docker", [
        ...["exec", "--env", "KAFKA_HEAP_OPTS=-Xmx64m", "kafka-1"],
        ...["/opt/kafka/bin/kafka-cluster.sh", "list-endpoints"],
        ...["--bootstrap-server", "kafka-1.infra_net:19092"],
      ]);
      return output.match(/\bunfenced\b/g)?.length === 3 ? [] : [output];
    });
  });

  test("lets applications on project_net reach the published listeners and nothing else", () => {
    const targets = ["kafka-1/9092", "opensearch-1/9200", "kafka/9092", "opensearch/9200"];
    const hidden = ["kafka-1/9093", "kafka-1/19092", "kafka-1/29092", "opensearch-1/9300"];
    const probe = [...targets, ...hidden]
      .map((target) => `timeout 20 bash -c '</dev/tcp/${target}' 2>/dev/null && echo ${target}`)
      .join("; ");
    const { output } = run("docker", [
      ...["run", ...TRIAL, "--rm", "--network", "project_net", "--entrypoint", "bash"],
      ...["apache/kafka:4.3.1", "-c", `${probe}; true`],
    ]);
    expect(output.trim().split("\n")).toEqual(targets);
  });

  test("publishes every node on the host's loopback address", () => {
    for (const port of ["9092", "9093", "9094"]) {
      const script = "constructs/kafka/healthcheck.sh";
      expect([port, run("bash", [script, "127.0.0.1", port]).exitCode]).toEqual([port, 0]);
    }
    for (const port of ["9200", "9201", "9202"]) {
      const { output } = run("curl", ["--silent", `http://127.0.0.1:${port}/_cat/nodes?h=name`]);
      expect(output.trim().split("\n").sort()).toEqual([
        "opensearch-1",
        "opensearch-2",
        "opensearch-3",
      ]);
    }
  });
});

test("a second deploy says No changes in every stack", () => {
  const { exitCode, output } = deploy();
  expect(exitCode).toBe(0);
  expect(
    output.match(/No changes\. Your infrastructure matches the configuration\./g),
  ).toHaveLength(STACKS.length);
});

test("npm run drift finds no drift after a deploy", () => {
  const { exitCode, output } = npm("drift");
  expect(output).toContain('environment "lab" has no drift');
  expect(exitCode).toBe(0);
});

test("cdktf diff shows a new topic and nothing else", () => {
  const { output } = cdktf(
    [
      ...["diff", "lab-messaging", "--skip-provider-lock"],
      ...["--app", "node -r ./tools/register.js __tests__/support/catalogs.ts"],
    ],
    { GROUNDWORK_E2E_CATALOG: "rejected-topic" },
  );
  expect(output).toMatch(/\+ "GROUNDWORK_DECLARED=infra-events application-logs wrong"/);
  expect(output).toMatch(/\+ name +=\s+"wrong"/);
  expect(output).toMatch(/\+ "remote\.storage\.enable" = "true"/);
  expect(output).toMatch(/Plan: 1 to add, 0 to change, 1 to destroy\./);
});

test("npm run up restores a topic that was deleted by hand between two deploys", () => {
  kafka("kafka-topics", ["--delete", "--topic", "application-logs"]);
  const { exitCode, output } = npm("up");
  expect(output).toContain(
    "kafka-init restored missing or changed resources: 1 created, 0 reconciled",
  );
  for (const requirement of ["AUT-001", "AUT-002", "AUT-003", "NFR-IDEM"]) {
    expect(output).toMatch(new RegExp(`^${requirement} +yes `, "m"));
  }
  expect(exitCode).toBe(0);
  expect(topic("application-logs").partitions).toBe(6);
});

describe("running the sidecars again", () => {
  const template = () => openSearch("GET", "/_index_template/logs_template").index_templates[0];
  let editedTemplate: unknown;

  beforeAll(() => {
    const lines = Array.from({ length: COUNT }, (_, i) => `record ${i}`).join("\n");
    kafka("kafka-console-producer", ["--topic", "infra-events"], lines);
    const bulk = Array.from(
      { length: COUNT },
      (_, i) => `{"create":{}}\n{"@timestamp":"2026-01-01T00:00:00Z","message":"document ${i}"}\n`,
    ).join("");
    expect(openSearch("POST", "/logs-stored/_bulk?refresh=true", bulk).errors).toBe(false);

    kafka("kafka-topics", ["--alter", "--topic", "infra-events", "--partitions", "5"]);
    kafka("kafka-configs", [
      ...["--entity-type", "topics", "--entity-name", "application-logs"],
      ...["--alter", "--add-config", "min.insync.replicas=1,retention.ms=86400000"],
    ]);
    const { index_template } = template();
    index_template.template.settings.index.number_of_replicas = "2";
    openSearch("PUT", "/_index_template/logs_template", index_template);
    editedTemplate = template();
  });

  const expectNothingLost = () => {
    expect(records("infra-events")).toBe(COUNT);
    expect(openSearch("GET", "/logs-stored/_count").count).toBe(COUNT);
  };

  test("is not needed by npm run drift, which names each manual edit and starts no sidecar", () => {
    const starts = () =>
      docker("inspect", "--format", "{{.State.StartedAt}}", "kafka-init", "os-init");
    const before = starts();
    const { exitCode, output } = npm("drift");
    for (const line of [
      "topic infra-events: partitions is 5, declared 3",
      "topic application-logs: min.insync.replicas is 1, declared 2",
      'index template logs_template: template.settings.index.number_of_replicas is "2", declared "1"',
      "topic application-logs has undeclared configs, left unchanged: retention.ms=86400000.",
      'environment "lab" has drift: 3 differences.',
    ]) {
      expect(output).toContain(line);
    }
    expect(exitCode).toBe(2);
    expect(starts()).toBe(before);
  });

  test("names each manual edit, exits with 73 and changes nothing", () => {
    const kafkaInit = rerun("kafka-init");
    expect(kafkaInit.exitCode).toBe(73);
    expect(driftOf(kafkaInit.log)).toEqual([
      ["infra-events", "partitions", "3", "5"],
      ["application-logs", "min.insync.replicas", "2", "1"],
    ]);
    const osInit = rerun("os-init");
    expect(osInit.exitCode).toBe(73);
    expect(driftOf(osInit.log)).toEqual([
      ["logs_template", "template.settings.index.number_of_replicas", '"1"', '"2"'],
    ]);
    expectNothingLost();
    expect(topic("infra-events").partitions).toBe(5);
    expect(topic("application-logs").configs.split(",").sort()).toEqual([
      "min.insync.replicas=1",
      "retention.ms=86400000",
    ]);
    expect(template()).toEqual(editedTemplate);
  });

  test("with onDrift reconcile adds what topics lack, and leaves the edited template", () => {
    const { exitCode, output } = deployCatalog("reconcile");
    expect(exitCode).not.toBe(0);
    expect(output).toContain("not repaired: it was edited since os-init applied it");
    expect(exitCodeOf("os-init")).toBe(73);
    expect(exitCodeOf("kafka-init")).toBe(0);
    expect(topic("infra-events")).toMatchObject({
      partitions: 6,
      configs: "min.insync.replicas=2",
    });
    expect(topic("application-logs").configs.split(",").sort()).toEqual([
      "min.insync.replicas=2",
      "retention.ms=86400000",
    ]);
    expect(template()).toEqual(editedTemplate);
    expectNothingLost();
  });

  test("runs a failed sidecar again at the next deploy", () => {
    openSearch("DELETE", "/_index_template/logs_template");
    const { exitCode } = deployCatalog("reconcile");
    expect(exitCode).toBe(0);
    expect(exitCodeOf("os-init")).toBe(0);
    expect(template().index_template.template.settings.index.number_of_replicas).toBe("1");
    expectNothingLost();
  });
});

describe("a sidecar that fails", () => {
  test("fails the deploy and shows its last log lines", () => {
    const { exitCode, output } = deployCatalog("rejected-topic");
    expect(exitCode).not.toBe(0);
    expect(output).toContain("Tiered Storage functionality is disabled in the broker.");
    expect(output).toMatch(/"event":"exit","version":"[^"]+","exit_code":65,/);
    expect(exitCodeOf("kafka-init")).toBe(65);
  });

  test("is explained by npm run up, with the meaning of its exit code", () => {
    // The shipped catalog declares 3 partitions, and the topic now has 6.
    const { exitCode, output } = npm("up");
    expect(exitCode).toBe(1);
    expect(output).toContain(
      [
        "kafka-init exited with 73: a resource exists and differs from its declaration",
        "  topic infra-events: partitions is 6, declared 3",
        "  topic infra-events: not applied: Kafka cannot remove partitions: declare 6 partitions again, or declare a topic with another name and move the records",
        "  remedy: change each field that the log names in the declaration or the cluster, or set onDrift; log: docker logs kafka-init",
        "Terraform's full log: .state/lab/terraform.log",
      ].join("\n"),
    );
    expect(output).not.toMatch(/local-exec|"event"/);
  });
});

describe("kafka-init with many topics", () => {
  const run = async (prefix: string, count: number) => {
    const init = (await containersOfLab()).find(
      ({ body }) => body.name === "kafka-init",
    ) as ContainerResource;
    const topics = Array.from({ length: count }, (_, i) =>
      resolveTopic({ name: `${prefix}-${i}`, partitions: 1 }, 3),
    );
    return runSidecar(init, KAFKA_IMAGE, { [TOPICS_FILE]: renderTopics(topics) });
  };

  test("creates each topic once if several sidecars run at the same time", async () => {
    const runs = await Promise.all([run("race", 100), run("race", 100), run("race", 100)]);
    expect(runs.map(({ exit }) => exit.exit_code)).toEqual([0, 0, 0]);
    const total = (field: "created" | "unchanged") =>
      runs.reduce((sum, { exit }) => sum + exit[field], 0);
    expect([total("created"), total("unchanged")]).toEqual([100, 200]);
    expect(topic("race-99")).toEqual({
      partitions: 1,
      replicationFactor: 3,
      configs: "min.insync.replicas=2",
    });
  });
});

describe("npm run down", () => {
  test("removes every container and network and keeps the data volumes", () => {
    expect(npm("down").exitCode).toBe(0);
    expect(docker("ps", "--all", "--quiet", ...OF_THE_LAB)).toBe("");
    expect(docker("network", "ls", "--quiet", "--filter", "label=groundwork.environment=lab")).toBe(
      "",
    );
    expectEveryVolume();
  });

  test("leaves volumes of which npm run volumes removes the orphan: none that is declared, mounted, or another environment's", async () => {
    const volumes = { "kafka-8-data": "lab", "kafka-9-data": "lab", "other-data": "other" };
    const inVolume = (name: string, script: string) =>
      docker(
        ...[
          "run",
          "--name",
          `of-${name}`,
          ...TRIAL,
          "--volume",
          `${name}:/data`,
          "--entrypoint",
          "sh",
        ],
        ...[DOCKER_CLI_IMAGE, "-c", script],
      );
    const answered = (answer: string) =>
      run("sh", [
        "-c",
        `printf '${answer}\\n' | script --quiet --return --command 'npm run --silent volumes -- --remove-orphans' /dev/null`,
      ]);
    try {
      for (const [name, owner] of Object.entries(volumes)) {
        docker("volume", "create", "--label", `groundwork.environment=${owner}`, name);
      }
      inVolume("kafka-8-data", "true");
      inVolume("kafka-9-data", WRITE);
      docker("rm", "of-kafka-9-data");
      const { exitCode, output } = npm("volumes");
      expect(exitCode).toBe(0);
      expect(output).toMatch(/^kafka-1-data +kafka-1 +\d.* not used: no container mounts it$/m);
      expect(output).toMatch(
        /^kafka-8-data +kafka-8 .* no longer declared, used by of-kafka-8-data$/m,
      );
      expect(output).toMatch(
        /^kafka-9-data +kafka-9 +2\.9 MiB +orphan, last written 2026-01-02 03:04 UTC$/m,
      );
      expect(output).not.toContain("other-data");
      const listed = JSON.parse(npm("volumes", ["--format", "json"]).output);
      expect(listed.flatMap(({ name, orphan }: Json) => (orphan ? [name] : []))).toEqual([
        "kafka-9-data",
      ]);
      const refused = npm("volumes", ["--remove-orphans"]);
      expect([refused.exitCode, refused.output]).toEqual([
        ...[1, expect.stringContaining("- kafka-9-data (2.9 MiB, last written 2026-01-02")],
      ]);
      expect(answered("yes").exitCode).toBe(1);
      expect(docker("volume", "ls", "--quiet")).toContain("kafka-9-data");
      const removed = answered("lab");
      expect([removed.exitCode, removed.output]).toEqual([
        ...[0, expect.stringContaining("removed kafka-9-data. Freed: 2.9 MiB")],
      ]);
      const left = docker("volume", "ls", "--quiet");
      expect(left).not.toContain("kafka-9-data");
      expect(left).toContain("kafka-8-data");
      expect(left).toContain("other-data");
    } finally {
      await removeTrials();
      docker("volume", "rm", "--force", ...Object.keys(volumes));
    }
    expectEveryVolume();
  });

  test("is followed by an interrupted npm run up, which the next one finishes with the data in place", async () => {
    // While it waits for the nodes to become healthy. An earlier interrupt would not stop resources that Terraform has not started before their timeout.
    const interrupted = await onceItSays(
      /opensearch-\d: creating/,
      async (_, group) => {
        await eventually(() => {
          const names = docker("ps", "--format", "{{.Names}}", ...OF_THE_LAB).split("\n");
          const nodes = names.filter((name) => /^opensearch-\d$/.test(name));
          return nodes.length === 3 ? [] : [nodes];
        });
        process.kill(-group, "SIGINT");
      },
      "npm",
      ["run", "--silent", "up"],
    );
    expect(interrupted.exitCode).not.toBe(0);
    expect(interrupted.output).toContain(
      "interrupted. Terraform has saved its state: run the same command again to continue",
    );
    // Its only finding is the partitions, of which the shipped catalog declares fewer than the topic has.
    const { output } = npm("up");
    expect(output).toContain("kafka-init exited with 73");
    expect(exitCodeOf("os-init")).toBe(0);
    const healthy = ["--filter", "health=healthy", ...OF_THE_LAB];
    await eventually(() =>
      docker("ps", "--quiet", ...healthy).split("\n").length === 8
        ? []
        : [docker("ps", ...OF_THE_LAB)],
    );
    expect(records("infra-events")).toBe(COUNT);
    expect(openSearch("GET", "/logs-stored/_count").count).toBe(COUNT);
  });

  test("cdktf destroy removes the containers and refuses to remove the volumes", () => {
    const { exitCode } = cdktf(["destroy", "*", "--auto-approve", "--skip-provider-lock"]);
    expect(exitCode).not.toBe(0);
    // CDKTF does not always print the error of the stack that fails.
    const { command = "" } = detectTerraform() ?? {};
    const args = ["-chdir=cdktf.out/stacks/lab-storage", "plan", "-destroy"];
    expect(run(command, args).output).toContain("prevent_destroy");
    expect(docker("ps", "--all", "--quiet", ...OF_THE_LAB)).toBe("");
    expect(docker("volume", "ls", "--quiet", ...OF_THE_LAB).split("\n")).toHaveLength(10);
  });

  test("removes the volumes only with --yes", () => {
    const refused = npm("down", ["--volumes"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain("add --yes");
    expect(docker("volume", "ls", "--quiet", ...OF_THE_LAB).split("\n")).toHaveLength(10);
    expect(npm("down", ["--volumes", "--yes"]).exitCode).toBe(0);
    expect(docker("volume", "ls", "--quiet", ...OF_THE_LAB)).toBe("");
  });
});
