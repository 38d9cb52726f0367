import { spawnSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { catalog } from "../../catalog";
import { KAFKA_IMAGE } from "../../constructs";
import { lab } from "../../environments/lab";
import { deploy, docker, freshLab } from "../support/lab";
import type { Json } from "../support/platform";

/** Metrics of which the lab has a source; the others come from Alloy, whose image it does not have. */
const MEASURED_HERE = /^(elasticsearch|container|node|groundwork_declared)_/;

const PANELS = catalog.dashboards.dashboards.flatMap((dashboard) =>
  dashboard.queries
    .filter(({ dataSource }) => dataSource === "prometheus")
    .map(({ panel, expr }) => ({ panel: `${dashboard.title}: ${panel}`, expr })),
);

function metricsOf(expr: string): string[] {
  return [...new Set(expr.match(/\b[a-z]+_[a-zA-Z_]+\b(?=[{[\s)]|$)/g) ?? [])].filter((name) =>
    /^(elasticsearch|container|node|groundwork|kafka|loki)_/.test(name),
  );
}

const measurable = ({ expr }: { expr: string }) =>
  metricsOf(expr).length > 0 && metricsOf(expr).every((name) => MEASURED_HERE.test(name));

/** Series of a query, as the deployed Prometheus answers it. */
function query(expr: string): Json[] {
  const expanded = expr.replace(/\$__rate_interval/g, "1m").replace(/\$(container|topic)\b/g, ".+");
  return JSON.parse(
    docker(
      ...["exec", "prometheus", "promtool", "query", "instant", "--format", "json"],
      ...["http://127.0.0.1:9090", expanded],
    ),
  );
}

/** Waits until nothing is left of what `look` finds. */
async function settle<T>(look: () => T[], seconds: number): Promise<T[]> {
  const deadline = Date.now() + seconds * 1000;
  let left = look();
  while (left.length > 0 && Date.now() < deadline) {
    await setTimeout(1000);
    left = look();
  }
  return left;
}

const CONTAINERS = ["e2e-exit-0", "e2e-exit-3", "e2e-oom", "e2e-unseen"];

beforeAll(async () => {
  await freshLab();
  const { exitCode, output } = deploy();
  if (exitCode !== 0) {
    throw new Error(output);
  }
}, 600_000);

afterAll(() => {
  spawnSync("docker", ["rm", "--force", "exporters", ...CONTAINERS]);
});

test("the lab has no Alloy, no Grafana and no Loki, and says so by name", () => {
  expect(lab.without).toEqual(["alloy", "grafana", "loki"]);
  const running = docker("ps", "--format", "{{.Names}}").split("\n");
  expect(running).toEqual(expect.arrayContaining(["prometheus", "exit-relay"]));
  expect(running.filter((name) => ["alloy", "grafana", "loki"].includes(name))).toEqual([]);
});

describe("with exporters in Alloy's place", () => {
  beforeAll(() => {
    docker(
      ...["run", "--detach", "--name", "exporters", "--network", lab.networks.infra.name],
      ...["--env", `OPENSEARCH_URL=http://opensearch.${lab.networks.infra.name}:9200`],
      ...["--env", `PROMETHEUS_URL=http://prometheus.${lab.networks.infra.name}:9090`],
      ...["--volume", "/sys:/sys:ro", "--volume", "/proc:/host/proc:ro"],
      ...["--volume", "/:/host/root:ro", "--volume", "/var/lib/docker:/var/lib/docker:ro"],
      ...["--volume", "/var/run/docker.sock:/var/run/docker.sock:ro"],
      "groundwork-lab/exporters",
    );
  });

  test("every panel over OpenSearch, the containers and the host has data", async () => {
    const covered = PANELS.filter(measurable);
    expect(covered.length).toBeGreaterThanOrEqual(25);
    const empty = await settle(
      () => covered.filter(({ expr }) => query(expr).length === 0).map(({ panel }) => panel),
      90,
    );
    expect(empty).toEqual([]);
  });

  test("the panels whose metrics only Alloy has are these", () => {
    expect(
      PANELS.filter((panel) => !measurable(panel))
        .map(({ panel }) => panel)
        .filter((panel) => !panel.startsWith("Kafka: ")),
    ).toEqual([
      "Containers: Last exit code",
      "Containers: Ends within 15 minutes",
      "Init sidecars: Last exit code",
      "Init sidecars: Last success",
      "Init sidecars: Not succeeded since the last deploy",
      "Platform overview: Kafka brokers",
      "Platform overview: Partitions below min ISR",
      "Platform overview: Failed init sidecars",
      "Platform overview: Collection",
      "Platform overview: Records written to Kafka",
    ]);
  });

  test("the alerts over OpenSearch are silent while it is well", () => {
    const rules = catalog.alertGroups.find(({ name }) => name === "opensearch")?.rules ?? [];
    const silent = rules.filter(({ alert }) => alert !== "DiskWatermark");
    expect(silent.map(({ alert }) => alert)).toEqual([
      "OpenSearchStatusRed",
      "OpenSearchStatusYellow",
      "OpenSearchNodeMissing",
    ]);
    expect(silent.filter(({ expr }) => query(expr).length > 0)).toEqual([]);
  });
});

describe("the exit relay", () => {
  const relayed = (container: string): Json[] =>
    docker("logs", "exit-relay")
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter((line) => line.container === container);

  /** Runs a container of the lab's to its end. */
  const end = (name: string, command: string, ...options: string[]) => {
    const labels = { environment: lab.name, stack: "e2e", service: name, role: "init" };
    spawnSync("docker", [
      ...["run", "--name", name, "--entrypoint", "sh"],
      ...Object.entries(labels).flatMap(([key, value]) => [
        "--label",
        `groundwork.${key}=${value}`,
      ]),
      ...[...options, KAFKA_IMAGE, "-c", command],
    ]);
  };
  const missing = (container: string, event: string) => () =>
    relayed(container).some((line) => line.event === event) ? [] : [`${event} of ${container}`];

  test.each([
    ["e2e-exit-0", 0],
    ["e2e-exit-3", 3],
  ])("says how %s ended, as it happens", async (name, code) => {
    end(name, `exit ${code}`);
    expect(await settle(missing(name, "die"), 10)).toEqual([]);
    const common = { container: name, service: name, role: "init", stack: "e2e" };
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
    expect(Math.abs(died.finished - Date.now() / 1000)).toBeLessThan(30);
  });

  test("says that the kernel killed a container for memory, which its own log does not", async () => {
    end("e2e-oom", "tail /dev/zero", "--memory", "32m", "--memory-swap", "32m");
    expect(docker("logs", "e2e-oom")).toBe("");
    // The engine may tell of either first.
    for (const event of ["die", "oom"]) {
      expect(await settle(missing("e2e-oom", event), 20)).toEqual([]);
    }
    const [created, ...rest] = relayed("e2e-oom").map(({ event, exit_code }) => [event, exit_code]);
    expect(created).toEqual(["create", undefined]);
    expect(rest.sort()).toEqual([
      ["die", 137],
      ["oom", undefined],
    ]);
  });

  test("says after a restart what ended in the meantime", async () => {
    docker("stop", "exit-relay");
    end("e2e-unseen", "exit 5");
    docker("start", "exit-relay");
    expect(await settle(missing("e2e-unseen", "state"), 10)).toEqual([]);
    const state = relayed("e2e-unseen").find(({ event }) => event === "state");
    expect(state).toMatchObject({ role: "init", status: "exited", exit_code: 5 });
    expect(state?.succeeded).toBeUndefined();
  });

  test("said how both sidecars of the deploy ended", () => {
    for (const sidecar of ["os-init", "kafka-init"]) {
      const ends = relayed(sidecar).filter(({ exit_code }) => exit_code !== undefined);
      expect(ends.length).toBeGreaterThan(0);
      expect(ends.every(({ exit_code }) => exit_code === 0)).toBe(true);
    }
  });
});
