import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog } from "../../../catalog";
import { KAFKA_IMAGE } from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { lab } from "../../../lab/environments";
import { buildImages, EXPORTERS_IMAGE, type LabEngine } from "../../../lab/prepare";
import { eventually } from "../../support/eventually";
import { selectorsOf } from "../../support/jobs";
import {
  deploy,
  docker,
  expectDone,
  freshLab,
  kafka,
  OF_THE_LAB,
  run,
  TRIAL,
} from "../../support/lab";
import type { Json } from "../../support/platform";
import { ROOT } from "../../support/root";
import { alloysGauges, alloysView, allRelayed, relayed, runToEnd } from "../../support/telemetry";

/** The metrics that the lab has a source for. The others come from Alloy, for which it has no image. */
const MEASURED_HERE =
  /^((elasticsearch|kafka|container|node|groundwork_(declared|container|application))_|consumergroup_topic(_partition)?:)/;

const CONSTRUCTS = join(ROOT, "constructs");

const PANELS = catalog.dashboards.dashboards.flatMap((dashboard) =>
  dashboard.queries
    .filter(({ dataSource }) => dataSource === "prometheus")
    .map(({ panel, expr }) => ({ panel: `${dashboard.title}: ${panel}`, expr })),
);

function metricsOf(expr: string): string[] {
  return [...new Set(expr.match(/\b[a-z]+_[a-zA-Z_:]+\b(?=[{[\s)]|$)/g) ?? [])].filter((name) =>
    /^((elasticsearch|container|node|groundwork|kafka|loki)_|consumergroup_topic(_partition)?:)/.test(
      name,
    ),
  );
}

const measurable = ({ expr }: { expr: string }) =>
  metricsOf(expr).length > 0 && metricsOf(expr).every((name) => MEASURED_HERE.test(name));

/** Returns the series of a query to the deployed Prometheus. */
function query(expr: string): Json[] {
  const expanded = expr.replace(/\$__rate_interval/g, "1m").replace(/\$(container|topic)\b/g, ".+");
  return JSON.parse(
    docker(
      ...["exec", "prometheus", "promtool", "query", "instant", "--format", "json"],
      ...["http://127.0.0.1:9090", expanded],
    ),
  );
}

/** Looks for an event of a container in the exit relay's log. */
const missing = (container: string, event: string) => () =>
  relayed(container).some((line) => line.event === event) ? [] : [`${event} of ${container}`];

const PROJECT = ["--network", lab.networks.project.name];

/** Runs an application container that no stack declares, as its own service. */
const runApplication = (name: string, command: string, ...options: string[]) =>
  run("docker", [
    ...["run", ...TRIAL, "--name", `e2e-app-${name}`, ...options],
    ...["--label", `groundwork.service=${name}`],
    ...["--entrypoint", "sh", KAFKA_IMAGE, "-c", command],
  ]);

/** The shell survives the kill for memory until the relay has reported it: the engine misses the kill of a container that ends. */
const OUT_OF_MEMORY =
  "tail /dev/zero; code=$?; until [ -e /tmp/reported ]; do sleep 1; done; exit $code";
const LITTLE_MEMORY = ["--detach", "--memory", "32m", "--memory-swap", "32m"];

// Container names and metrics come from different sources with the engine's own image store and with containerd's.
describe.each<LabEngine>(["bookworm", "forky"])("on engine %s", (engine) => {
  beforeAll(async () => {
    await freshLab(undefined, { engine });
    await buildImages({ exporters: EXPORTERS_IMAGE });
    expectDone(deploy());
  });

  if (engine === "forky") {
    test("the engine keeps layers in containerd's store, as a fresh Docker 29 does", () => {
      expect(docker("info", "--format", "{{.DriverStatus}}")).toContain("containerd.snapshotter");
    });
  }

  test("the lab excludes Alloy, Grafana and Loki", () => {
    expect(lab.excludedServices).toEqual(["alloy", "grafana", "loki"]);
    const running = docker("ps", "--format", "{{.Names}}").split("\n");
    expect(running).toEqual(expect.arrayContaining(["prometheus", "exit-relay"]));
    expect(running.filter((name) => ["alloy", "grafana", "loki"].includes(name))).toEqual([]);
  });

  describe("with exporters in Alloy's place", () => {
    beforeAll(async () => {
      // A consumer group without progress, and an application that failed.
      kafka("kafka-console-producer", ["--topic", "infra-events"], "1\n2\n3\n");
      kafka("kafka-console-consumer", [
        ...["--topic", "infra-events", "--from-beginning", "--max-messages", "1"],
        ...["--group", "e2e-standing"],
      ]);
      runApplication("failing", "exit 3", ...PROJECT);
      await eventually(missing("e2e-app-failing", "die"));
      docker(
        ...["create", ...TRIAL, "--name", "exporters"],
        ...["--network", lab.networks.infra.name],
        ...["--env", `OPENSEARCH_URL=http://opensearch.${lab.networks.infra.name}:9200`],
        ...["--env", `KAFKA_BOOTSTRAP_SERVERS=kafka-1.${lab.networks.infra.name}:19092`],
        ...["--env", `KAFKA_VERSION=${KAFKA_IMAGE.split(":")[1]}`],
        ...["--env", `PROMETHEUS_URL=http://prometheus.${lab.networks.infra.name}:9090`],
        ...alloysView(laptop),
        EXPORTERS_IMAGE,
      );
      docker("start", "exporters");
      const folder = mkdtempSync(join(tmpdir(), "relayed-"));
      writeFileSync(join(folder, "relayed.prom"), alloysGauges(allRelayed()));
      docker("cp", `${folder}/.`, "exporters:/lab/textfile");
      rmSync(folder, { recursive: true });
    });

    test("Prometheus has the memory of every container of the platform, by the name that the exit relay gives", async () => {
      const running = docker("ps", "--format", "{{.Names}}", ...OF_THE_LAB).split("\n");
      const panel = PANELS.find(({ panel: name }) => name === "Platform overview: Memory in use");
      await eventually(() => {
        const measured = query(panel?.expr ?? "").map(({ metric }) => metric.name);
        return running.filter((name) => !measured.includes(name));
      });
    });

    test("groundwork_container_info gives the cluster, environment and image of a container id", async () => {
      const id = docker("inspect", "--format", "{{.Id}}", "kafka-2");
      await eventually(() =>
        query(`groundwork_container_info{container_id="${id}"}`).length === 0 ? [id] : [],
      );
      const [{ metric }] = query(`groundwork_container_info{container_id="${id}"}`);
      expect(metric).toMatchObject({
        ...{ name: "kafka-2", service: "kafka-2", role: "service" },
        ...{ cluster: "kafka", environment: lab.name, image: KAFKA_IMAGE },
      });
    });

    test("every panel has data if the lab has a source of its metrics", async () => {
      const covered = PANELS.filter(measurable);
      expect(covered.length).toBeGreaterThanOrEqual(55);
      await eventually(() =>
        covered.filter(({ expr }) => query(expr).length === 0).map(({ panel }) => panel),
      );
    });

    test("only these panels need metrics that Alloy alone has", () => {
      expect(PANELS.filter((panel) => !measurable(panel)).map(({ panel }) => panel)).toEqual([
        "Kafka: Request latency, by broker",
        "Platform overview: Collection",
        "Security: Certificates",
        "Security: Failed logins",
        "Security: Denied requests",
        "Security: Failed logins by node",
        "Security: Denied requests by node",
      ]);
    });

    test("the exporters send every series that an alert selects, except of a RAID, which the host may lack", async () => {
      const expressions = catalog.alertGroups.flatMap(({ rules, recordingRules = [] }) =>
        [...rules, ...recordingRules].map(({ expr }) => expr),
      );
      const exported = /\{job="integrations\/(kafka|elasticsearch|cadvisor|unix)"/;
      const selectors = [...new Set(expressions.flatMap(selectorsOf))].filter(
        (selector) => exported.test(selector) && !selector.startsWith("node_md_"),
      );
      expect(selectors.length).toBeGreaterThan(30);
      await eventually(() => {
        const left = selectors.filter((selector) => query(selector).length === 0);
        if (left.length > 0) {
          // The exporter tells the lag in time once it has seen two offsets of a partition.
          kafka("kafka-console-producer", ["--topic", "infra-events"], "1\n");
        }
        return left;
      });
    });

    test("no alert about OpenSearch fires while it is healthy", () => {
      const rules = catalog.alertGroups.find(({ name }) => name === "opensearch")?.rules ?? [];
      // The disk is the host's, and a heap may be full for a moment.
      const silent = rules.filter(({ alert }) => !/Disk|Heap/.test(alert));
      expect(silent.map(({ alert }) => alert)).toEqual([
        "OpenSearchStatusRed",
        "OpenSearchStatusYellow",
        "OpenSearchNodeMissing",
        "OpenSearchRequestsRejected",
      ]);
      expect(silent.filter(({ expr }) => query(expr).length > 0)).toEqual([]);
    });
  });

  test("brokers log how long requests took, in the words that Alloy reads", async () => {
    const config = readFileSync(join(CONSTRUCTS, "alloy", "requests.alloy"), "utf8");
    const [, quoted] = /expression = ("\^.+")/.exec(config) ?? [];
    const line = new RegExp(JSON.parse(quoted).replaceAll("(?P<", "(?<"), "gm");
    await eventually(() => {
      kafka("kafka-console-producer", ["--topic", "infra-events"], "1\n");
      kafka("kafka-console-consumer", [
        ...["--topic", "infra-events", "--from-beginning", "--max-messages", "1"],
      ]);
      const logs = ["kafka-1", "kafka-2", "kafka-3"].map((name) => docker("logs", name)).join("\n");
      const logged = [...logs.matchAll(line)].map(({ groups }) => groups?.request);
      return ["fetch", "produce"].filter((request) => !logged.includes(request));
    });
  });

  describe("the exit relay", () => {
    test.each([
      ["e2e-exit-0", 0],
      ["e2e-exit-3", 3],
    ])("reports the exit of %s as it happens", async (name, code) => {
      runToEnd(lab.name, name, `exit ${code}`);
      await eventually(missing(name, "die"));
      const id = docker("inspect", "--format", "{{.Id}}", name);
      const common = {
        ...{ id, cluster: "", environment: lab.name, image: KAFKA_IMAGE },
        ...{ container: name, service: name, role: "init", stack: "e2e" },
      };
      const [created, died] = relayed(name);
      expect(created).toEqual({
        ...common,
        event: "create",
        time: created.created,
        created: created.created,
      });
      expect(died).toEqual({
        ...common,
        event: "die",
        time: died.finished,
        exit_code: code,
        finished: expect.any(Number),
        ...(code === 0 && { succeeded: died.finished }),
      });
      const finished = Date.parse(docker("inspect", "--format", "{{.State.FinishedAt}}", name));
      // In whole seconds. The engine reports the end a moment later.
      expect(Math.abs(died.finished - finished / 1000)).toBeLessThan(3);
    });

    test("reports that the kernel killed a container for memory, which the container's own log does not show", async () => {
      runToEnd(lab.name, "e2e-oom", OUT_OF_MEMORY, ...LITTLE_MEMORY);
      await eventually(missing("e2e-oom", "oom"));
      docker("exec", "e2e-oom", "touch", "/tmp/reported");
      await eventually(missing("e2e-oom", "die"));
      expect(docker("logs", "e2e-oom")).toBe("");
      const [created, ...rest] = relayed("e2e-oom").map(({ event, exit_code }) => [
        event,
        exit_code,
      ]);
      expect(created).toEqual(["create", undefined]);
      // The kernel may kill more than once.
      expect(rest.filter(([event]) => event !== "oom")).toEqual([["die", 137]]);
    });

    test("reports after a restart what ended in the meantime", async () => {
      docker("stop", "exit-relay");
      runToEnd(lab.name, "e2e-unseen", "exit 5");
      docker("start", "exit-relay");
      await eventually(missing("e2e-unseen", "state"));
      const state = relayed("e2e-unseen").find(({ event }) => event === "state");
      expect(state).toMatchObject({ role: "init", status: "exited", exit_code: 5 });
      expect(state?.succeeded).toBeUndefined();
    });

    test("has reported the exit of both init sidecars of the deploy", () => {
      for (const sidecar of ["os-init", "kafka-init"]) {
        const ends = relayed(sidecar).filter(({ exit_code }) => exit_code !== undefined);
        expect(ends.length).toBeGreaterThan(0);
        expect(ends.every(({ exit_code }) => exit_code === 0)).toBe(true);
      }
    });
  });

  describe("the exit relay, for applications", () => {
    /** Waits until the relay has reported that many exits of a container. Returns its lines without the times. */
    const told = async (name: string, ends: number) => {
      const lines = () =>
        relayed(`e2e-app-${name}`).filter(({ event }) => !["state", "start"].includes(event));
      const died = () => lines().filter(({ event }) => event === "die").length;
      await eventually(() => (died() < ends ? [`${died()} of ${ends} ends of ${name}`] : []));
      return lines().map(({ event, exit_code, signal, failures, role, service }) => {
        expect({ role, service }).toEqual({ role: "application", service: name });
        return [event, exit_code, { signal, failures }];
      });
    };

    test("reports the exit code and the name of an application on the project network", async () => {
      runApplication("exit", "exit 3", ...PROJECT);
      expect(await told("exit", 1)).toEqual([["die", 3, { failures: 1 }]]);
      // Because it has the project's label.
      const start = relayed("e2e-app-exit").find(({ event }) => event === "start");
      expect(start?.id).toMatch(/^[0-9a-f]{64}$/);
    });

    test("reports the exit of an application whose container is already removed", async () => {
      runApplication("gone", "exit 7", "--rm", ...PROJECT);
      expect(await told("gone", 1)).toEqual([["die", 7, { failures: 1 }]]);
      runApplication("gone", "exit 0", "--rm", ...PROJECT);
      expect(await told("gone", 2)).toEqual([
        ["die", 7, { failures: 1 }],
        ["die", 0, {}],
      ]);
    });

    test("counts the failures of an application that the engine restarts", async () => {
      runApplication("crash", "exit 4", "--detach", "--restart", "on-failure:2", ...PROJECT);
      expect(await told("crash", 3)).toEqual([
        ["die", 4, { failures: 1 }],
        ["die", 4, { failures: 2 }],
        ["die", 4, { failures: 3 }],
      ]);
    });

    test("reports that the kernel killed an application for memory", async () => {
      runApplication("oom", OUT_OF_MEMORY, ...LITTLE_MEMORY, ...PROJECT);
      await eventually(missing("e2e-app-oom", "oom"));
      docker("exec", "e2e-app-oom", "touch", "/tmp/reported");
      expect((await told("oom", 1)).filter(([event]) => event !== "oom")).toEqual([
        ["die", 137, { failures: 1 }],
      ]);
    });

    test("does not count an application that was stopped as a failure", async () => {
      runApplication("stop", "exec sleep 600", "--detach", "--init", ...PROJECT);
      docker("stop", "e2e-app-stop");
      expect(await told("stop", 1)).toEqual([["die", 143, { signal: 15 }]]);
    });

    test("reports the exit code of an application that has labels named like an event's attributes", async () => {
      const forged = `x\nown die 0 1 0 - "container":"e2e-app-forged","service":"os-init","role":"init"`;
      const args = ["exitCode=0", "signal=15", "name=os-init", `image=${forged}`].flatMap(
        (label) => ["--label", label],
      );
      runApplication("labelled", "exit 3", ...args, ...PROJECT);
      expect(await told("labelled", 1)).toEqual([["die", 3, { failures: 1 }]]);
      runApplication("forged", "exit 3", "--label", `exitCode=${forged}`, ...PROJECT);
      expect(await told("forged", 1)).toEqual([["die", 3, { failures: 1 }]]);
    });

    test("reports nothing of an application that has the labels of an init sidecar", async () => {
      for (const [name, exit] of [
        ["succeeds", "exit 0"],
        ["fails", "exit 1"],
      ] as const) {
        runToEnd(lab.name, `e2e-poses-${name}`, exit, ...PROJECT);
      }
      runApplication("after", "exit 3", ...PROJECT);
      expect(await told("after", 1)).toEqual([["die", 3, { failures: 1 }]]);
      // Events come in order.
      expect([...relayed("e2e-poses-succeeds"), ...relayed("e2e-poses-fails")]).toEqual([]);
    });

    test("covers an application that joins the network later, and none that is on another network or has opted out", async () => {
      runApplication("private", "exit 9", "--label", "groundwork.exits=false", ...PROJECT);
      runApplication("elsewhere", "exit 9");
      runApplication("later", "sleep 3; exit 6", "--detach");
      docker("network", "connect", lab.networks.project.name, "e2e-app-later");
      expect(await told("later", 1)).toEqual([["die", 6, { failures: 1 }]]);
      expect([...relayed("e2e-app-private"), ...relayed("e2e-app-elsewhere")]).toEqual([]);
    });
  });
});

// Other suites use the default engine.
afterAll(() => freshLab());
