import { spawnSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { catalog } from "../../../catalog";
import { DOCKER_CLI_IMAGE, KAFKA_IMAGE } from "../../../constructs";
import { lab } from "../../../environments/lab";
import { laptop } from "../../../environments/laptop";
import { deploy, docker, freshLab, TRIAL } from "../../support/lab";
import { container, type Json, synthesize } from "../../support/platform";

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

/** What a container sees of the host that has the mounts and the rights of Alloy, which the lab has no image of. */
function alloysView(): string[] {
  const { volumes, tmpfs } = container(synthesize(laptop).stacks, "alloy");
  const dataRoot = docker("info", "--format", "{{.DockerRootDir}}");
  return [
    ...volumes
      .filter(({ host_path }: Json) => host_path)
      .map(({ host_path, container_path }: Json) =>
        host_path === "/var/lib/docker" ? [dataRoot, dataRoot] : [host_path, container_path],
      )
      .flatMap(([from, to]: string[]) => ["--volume", `${from}:${to}:ro`]),
    ...Object.entries(tmpfs).flatMap(([path, options]) => ["--tmpfs", `${path}:${options}`]),
    ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"],
  ];
}

const ENGINE_NETWORK = "engine_net";
const ENGINE = `tcp://engine-proxy.${ENGINE_NETWORK}:2375`;

const CONTAINERS = ["exit-0", "exit-3", "oom", "unseen", "cut", "stream"].map(
  (name) => `e2e-${name}`,
);
const APPLICATIONS = ["exit", "gone", "crash", "oom", "stop", "later", "private", "elsewhere"].map(
  (name) => `e2e-app-${name}`,
);

beforeAll(async () => {
  await freshLab();
  const { exitCode, output } = deploy();
  if (exitCode !== 0) {
    throw new Error(output);
  }
}, 600_000);

afterAll(() => {
  spawnSync("docker", ["rm", "--force", "exporters", "reader", ...CONTAINERS, ...APPLICATIONS]);
});

test("the lab has no Alloy, no Grafana and no Loki, and says so by name", () => {
  expect(lab.without).toEqual(["alloy", "grafana", "loki"]);
  const running = docker("ps", "--format", "{{.Names}}").split("\n");
  expect(running).toEqual(expect.arrayContaining(["prometheus", "exit-relay", "engine-proxy"]));
  expect(running.filter((name) => ["alloy", "grafana", "loki"].includes(name))).toEqual([]);
});

describe("with exporters in Alloy's place", () => {
  beforeAll(() => {
    docker(
      ...["create", ...TRIAL, "--name", "exporters"],
      ...["--network", lab.networks.infra.name],
      ...["--env", `ENGINE=${ENGINE}`],
      ...["--env", `OPENSEARCH_URL=http://opensearch.${lab.networks.infra.name}:9200`],
      ...["--env", `PROMETHEUS_URL=http://prometheus.${lab.networks.infra.name}:9090`],
      ...alloysView(),
      "groundwork-lab/exporters",
    );
    docker("network", "connect", ENGINE_NETWORK, "exporters");
    docker("start", "exporters");
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
      "Platform overview: Below min ISR",
      "Platform overview: Failed inits",
      "Platform overview: Collection",
      "Platform overview: Ended within a day",
      "Platform overview: Ended within a day",
      "Platform overview: Deployed last",
      "Platform overview: Records written to Kafka",
      "Security: Certificates",
      "Security: Failed logins",
      "Security: Denied requests",
      "Security: Failed logins by node",
      "Security: Denied requests by node",
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

describe("the engine's proxy", () => {
  const PROXY = `http://engine-proxy.${ENGINE_NETWORK}:2375`;

  /** Runs a script where Alloy and the relay are, by one who sees of the host what Alloy sees. */
  const script = (text: string) => docker("exec", "reader", "sh", "-c", text);

  beforeAll(() => {
    docker(
      ...["run", ...TRIAL, "--detach", "--init", "--name", "reader", "--network", ENGINE_NETWORK],
      ...[...alloysView(), "--env", `DOCKER_HOST=${ENGINE}`],
      ...["--entrypoint", "sleep", DOCKER_CLI_IMAGE, "600"],
    );
  });

  /** The status of each request, `METHOD PATH` and further options of curl. */
  const statuses = (requests: readonly string[]): [string, string][] => {
    const calls = requests.map((request) => {
      const [method, path, ...options] = request.split(" ");
      const how = method === "HEAD" ? "--head" : `--request ${method}`;
      return `curl --silent --path-as-is --max-time 5 --output /dev/null --write-out '%{http_code}\n' ${how} ${options.join(" ")} '${PROXY}${path}'`;
    });
    const codes = script(calls.join("\n")).split("\n");
    return requests.map((request, i) => [request, codes[i]]);
  };

  test("passes on what Alloy and the relay read", () => {
    const filters = "%7B%22network%22%3A%7B%22infra_net%22%3Atrue%7D%7D";
    const requests = [
      ...["GET /_ping", "HEAD /_ping", "GET /version", "GET /v1.41/version", "GET /v1.41/info"],
      ...["GET /containers/json", `GET /v1.41/containers/json?all=1&filters=${filters}`],
      ...["GET /v1.41/networks", "GET /v1.41/containers/exit-relay/json"],
      "GET /v1.41/containers/exit-relay/logs?stdout=1&stderr=1&since=0&timestamps=1",
      "GET /v1.41/events?since=0&until=1",
      // Without the offer to go on in another protocol, to which the answer would be 101.
      "GET /_ping --header Upgrade:h2c --header Connection:Upgrade,HTTP2-Settings --header HTTP2-Settings:AAMAAABkAAQAAP__",
    ];
    expect(statuses(requests)).toEqual(requests.map((request) => [request, "200"]));
  });

  test("refuses whatever changes or runs something or is another path, however it is written", () => {
    const container = "/v1.41/containers/exit-relay";
    const requests = [
      ...["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"].flatMap((method) => [
        `${method} ${container}/json`,
        `${method} /_ping`,
      ]),
      ...["start", "stop", "kill", "restart", "exec", "attach", "update"].map(
        (action) => `POST ${container}/${action}`,
      ),
      ...["POST /v1.41/containers/create", `DELETE ${container}`, "POST /build", "POST /session"],
      // Reads that do or tell more than is needed: one writes to a container, one reads its files.
      ...["attach/ws", "attach", "archive?path=/", "export", "top", "changes", "stats"].map(
        (what) => `GET ${container}/${what}`,
      ),
      ...["GET /images/json", "GET /images/get", "GET /v1.41/images/x/json", "GET /volumes"],
      ...["swarm", "secrets", "configs", "services", "nodes", "tasks", "plugins", "system/df"].map(
        (path) => `GET /${path}`,
      ),
      ...[
        "GET /exec/1/json",
        "GET /networks/infra_net",
        "GET /debug/pprof/",
        "GET /",
        "POST /grpc",
      ],
      // Paths that one side may read otherwise than the other.
      ...[
        "GET //containers/json",
        "GET /containers//json",
        "GET /containers/../json",
        "GET /./_ping",
      ],
      ...["GET /containers/x/../../swarm", `GET ${container}/json/../archive?path=/`],
      ...["GET /containers/%2e%2e/json", "GET /containers/x%2f..%2fjson", "GET /%5fping"],
      ...[`GET ${container}/attach/ws?/json`, "GET /swarm?x=/containers/json", "GET /_ping/"],
      ...["GET /_ping;/swarm", "GET /v1.41/v1.41/_ping", "GET /v/_ping", "GET /_PING"],
      ...["GET /containers/json/", `GET ${container}/logs/../attach/ws`, "GET /x\\..\\_ping"],
      // The whole address as the request's target, and another protocol behind a request that is passed on.
      ...[
        `GET /_ping --request-target ${PROXY}/_ping`,
        `GET /_ping --request-target ${PROXY}/swarm`,
      ],
      `GET ${container}/logs --header Upgrade:tcp --header Connection:Upgrade`,
    ];
    expect(statuses(requests).filter(([, code]) => code !== "403")).toEqual([]);
  });

  test("tells who is refused what it is for, and notes it in its log", () => {
    const { stderr, status } = spawnSync(
      "docker",
      ["exec", "reader", "docker", "exec", "exit-relay", "id"],
      { encoding: "utf8" },
    );
    expect([status, stderr]).toEqual([
      1,
      "Error response from daemon: the engine proxy passes on what Alloy and the exit relay read, and this request is not among it: constructs/engine-proxy/haproxy.cfg\n",
    ]);
    expect(docker("logs", "engine-proxy")).toMatch(
      / 403 .*"POST \/v1\.\d+\/containers\/exit-relay\/exec HTTP\/1\.1"/,
    );
  });

  test("passes events and logs on as they come", async () => {
    // Else what happens before it has connected would be missed.
    const since = Math.floor(Date.now() / 1000);
    script(
      `docker events --since ${since} --filter event=create --format '{{index .Actor.Attributes "name"}}' >/tmp/events 2>&1 </dev/null &`,
    );
    docker(
      ...["run", ...TRIAL, "--detach", "--init", "--name", "e2e-stream", "--entrypoint", "sh"],
      ...[DOCKER_CLI_IMAGE, "-c", "for i in 1 2 3 4 5; do echo $i; sleep 1; done; sleep 600"],
    );
    expect(
      await settle(() => (script("cat /tmp/events").includes("e2e-stream") ? [] : ["event"]), 5),
    ).toEqual([]);
    script("docker logs --follow e2e-stream >/tmp/log 2>&1 </dev/null &");
    const seen = () => script("cat /tmp/log").split("\n").length;
    await settle(() => (seen() > 0 ? [] : ["a line"]), 5);
    const first = seen();
    expect(first).toBeLessThan(5);
    expect(await settle(() => (seen() < 5 ? ["the last line"] : []), 10)).toEqual([]);
  });

  test("is reached from its own network alone: not from the others, nor from the host", () => {
    const address = docker(
      ...["inspect", "engine-proxy", "--format"],
      `{{(index .NetworkSettings.Networks "${ENGINE_NETWORK}").IPAddress}}`,
    );
    const ask = `curl --silent --max-time 2 http://${address}:2375/_ping`;
    expect(script(ask)).toBe("OK");
    const { infra, project } = lab.networks;
    const from = [infra.name, project.name, "bridge", "host"].map((network) => {
      const { stdout } = spawnSync(
        "docker",
        [
          ...["run", ...TRIAL, "--rm", "--network", network, "--entrypoint", "sh"],
          ...[DOCKER_CLI_IMAGE, "-c", ask],
        ],
        { encoding: "utf8" },
      );
      return { network, stdout };
    });
    // What is beyond the host may answer for an address that the host has no way to.
    expect(from.filter(({ stdout }) => stdout.includes("OK"))).toEqual([]);
    expect(from).toHaveLength(4);
  });

  test("is the only way to the engine for who sees what Alloy sees of the host", () => {
    const processes = docker("top", "engine-proxy", "-o", "pid").split("\n").slice(1);
    expect(processes.length).toBeGreaterThanOrEqual(2);
    const host = "/host/root";
    // Where it lies, and where the processes that have it would lead to it.
    const roots = [
      "",
      host,
      ...processes.flatMap((pid) =>
        ["/host/proc", `${host}/proc`].map((proc) => `${proc}/${pid}/root`),
      ),
    ];
    const ways = roots.flatMap((root) =>
      ["run", "var/run"].map((at) => `${root}/${at}/docker.sock`),
    );
    expect(script(`ls -d ${ways.join(" ")} 2>/dev/null || true`)).toBe("");
    expect(script(`ls -A ${host}/run ${host}/proc`)).toBe(`${host}/proc:\n\n${host}/run:`);
    expect(script(`cat /host/proc/${processes[0]}/comm`)).toBe("docker-init");
  });

  test("serves as a user of its own, in the group of the socket", () => {
    const [group] = docker("exec", "engine-proxy", "stat", "-c", "%g", "/run/docker.sock").split(
      "\n",
    );
    const status = docker(
      ...["exec", "engine-proxy", "sh", "-c"],
      "grep -hE '^(Name|Uid|Gid|Groups|CapEff):' $(grep -l ^haproxy$ /proc/[0-9]*/comm | sed s/comm/status/)",
    );
    expect(status.replace(/\s+/g, " ").trim()).toBe(
      `Name: haproxy Uid: 99 99 99 99 Gid: ${group} ${group} ${group} ${group} Groups: CapEff: 0000000000000000`,
    );
  });
});

function relayed(container: string): Json[] {
  return docker("logs", "exit-relay")
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter((line) => line.container === container);
}

describe("the exit relay", () => {
  /** Runs a container of the lab's to its end. */
  const end = (name: string, command: string, ...options: string[]) => {
    const labels = { environment: lab.name, stack: "e2e", service: name, role: "init" };
    spawnSync("docker", [
      ...["run", ...TRIAL, "--name", name, "--entrypoint", "sh"],
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

  test("goes on when the engine's proxy is back, and says what ended in the meantime", async () => {
    const ended = () => Number(docker("inspect", "--format", "{{.RestartCount}}", "exit-relay"));
    const before = ended();
    docker("stop", "engine-proxy");
    end("e2e-cut", "exit 8");
    docker("start", "engine-proxy");
    const told = () => relayed("e2e-cut").filter(({ exit_code }) => exit_code === 8);
    expect(await settle(() => (told().length > 0 ? [] : ["the end of e2e-cut"]), 20)).toEqual([]);
    // Not again and again: that would be an alert.
    expect(ended() - before).toBe(1);
  });

  test("said how both sidecars of the deploy ended", () => {
    for (const sidecar of ["os-init", "kafka-init"]) {
      const ends = relayed(sidecar).filter(({ exit_code }) => exit_code !== undefined);
      expect(ends.length).toBeGreaterThan(0);
      expect(ends.every(({ exit_code }) => exit_code === 0)).toBe(true);
    }
  });
});

describe("the exit relay, of applications", () => {
  const project = ["--network", lab.networks.project.name];

  /** Runs a container that is its own service, as nothing here declares it. */
  const run = (name: string, command: string, ...options: string[]) =>
    spawnSync("docker", [
      ...["run", ...TRIAL, "--name", `e2e-app-${name}`, ...options],
      ...["--label", `groundwork.service=${name}`],
      ...["--entrypoint", "sh", KAFKA_IMAGE, "-c", command],
    ]);

  /** Waits until so many ends of a container are told, and says what is told of it, without the times. */
  const told = async (name: string, ends: number) => {
    const lines = () => relayed(`e2e-app-${name}`).filter(({ event }) => event !== "state");
    const died = () => lines().filter(({ event }) => event === "die").length;
    expect(
      await settle(() => (died() < ends ? [`${died()} of ${ends} ends of ${name}`] : []), 30),
    ).toEqual([]);
    return lines().map(({ event, exit_code, signal, failures, role, service }) => {
      expect({ role, service }).toEqual({ role: "application", service: name });
      return [event, exit_code, { signal, failures }];
    });
  };

  test("says how one ended that joined the network, and its name", async () => {
    run("exit", "exit 3", ...project);
    expect(await told("exit", 1)).toEqual([["die", 3, { failures: 1 }]]);
  });

  test("says how one ended that is removed by then", async () => {
    run("gone", "exit 7", "--rm", ...project);
    expect(await told("gone", 1)).toEqual([["die", 7, { failures: 1 }]]);
    run("gone", "exit 0", "--rm", ...project);
    expect(await told("gone", 2)).toEqual([
      ["die", 7, { failures: 1 }],
      ["die", 0, {}],
    ]);
  });

  test("counts how often one failed that the engine starts again", async () => {
    run("crash", "exit 4", "--detach", "--restart", "on-failure:2", ...project);
    expect(await told("crash", 3)).toEqual([
      ["die", 4, { failures: 1 }],
      ["die", 4, { failures: 2 }],
      ["die", 4, { failures: 3 }],
    ]);
  });

  test("says that the kernel killed one for memory, when the engine has seen it", async () => {
    run("oom", "tail /dev/zero", "--memory", "32m", "--memory-swap", "32m", ...project);
    await told("oom", 1);
    const seen = () =>
      docker("inspect", "--format", "{{.State.OOMKilled}}", "e2e-app-oom") === "true";
    const said = () => relayed("e2e-app-oom").some(({ event }) => event === "oom");
    expect(await settle(() => (said() === seen() ? [] : [{ seen: seen() }]), 20)).toEqual([]);
    expect((await told("oom", 1)).sort()).toEqual([
      ["die", 137, { failures: 1 }],
      ...(seen() ? [["oom", undefined, {}]] : []),
    ]);
  });

  test("counts no end that someone asked for", async () => {
    run("stop", "exec sleep 600", "--detach", "--init", ...project);
    docker("stop", "e2e-app-stop");
    expect(await told("stop", 1)).toEqual([["die", 143, { signal: 15 }]]);
  });

  test("covers one that joins later, and none that is elsewhere or has opted out", async () => {
    run("private", "exit 9", "--label", "groundwork.exits=false", ...project);
    run("elsewhere", "exit 9");
    run("later", "sleep 3; exit 6", "--detach");
    docker("network", "connect", lab.networks.project.name, "e2e-app-later");
    expect(await told("later", 1)).toEqual([["die", 6, { failures: 1 }]]);
    expect([...relayed("e2e-app-private"), ...relayed("e2e-app-elsewhere")]).toEqual([]);
  });
});
