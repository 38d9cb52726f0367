import { spawnSync } from "node:child_process";
import { DOCKER_CLI_IMAGE } from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { labSecured } from "../../../lab/environments";
import { eventually } from "../../support/eventually";
import { docker, TRIAL } from "../../support/lab";
import { deployedSecuredLab } from "../../support/secured";
import { alloysView, relayed, runToEnd } from "../../support/telemetry";

const ENGINE_NETWORK = "engine_net";
const PROXY = `http://engine-proxy.${ENGINE_NETWORK}:2375`;

deployedSecuredLab();

describe("the engine proxy", () => {
  /** Runs a script on the network of Alloy and the exit relay, in a container with Alloy's mounts of the host. */
  const script = (text: string) => docker("exec", "reader", "sh", "-c", text);

  beforeAll(() => {
    docker(
      ...["run", ...TRIAL, "--detach", "--init", "--name", "reader", "--network", ENGINE_NETWORK],
      ...[
        ...alloysView({ ...laptop, security: "tls" }),
        "--env",
        `DOCKER_HOST=tcp://engine-proxy.${ENGINE_NETWORK}:2375`,
      ],
      ...["--entrypoint", "sleep", DOCKER_CLI_IMAGE, "600"],
    );
  });

  /** Returns the HTTP status of each request, which is `METHOD PATH` and further options of curl. */
  const statuses = (requests: readonly string[]): [string, string][] => {
    const calls = requests.map((request) => {
      const [method, path, ...options] = request.split(" ");
      const how = method === "HEAD" ? "--head" : `--request ${method}`;
      return `curl --silent --path-as-is --max-time 5 --output /dev/null --write-out '%{http_code}\n' ${how} ${options.join(" ")} '${PROXY}${path}'`;
    });
    const codes = script(calls.join("\n")).split("\n");
    return requests.map((request, i) => [request, codes[i]]);
  };

  test("passes on the requests of Alloy and the exit relay", () => {
    const image = docker("inspect", "--format", "{{.Image}}", "exit-relay");
    const filters = "%7B%22network%22%3A%7B%22infra_net%22%3Atrue%7D%7D";
    const requests = [
      ...["GET /_ping", "HEAD /_ping", "GET /version", "GET /v1.41/version"],
      ...["GET /containers/json", `GET /v1.41/containers/json?all=1&filters=${filters}`],
      ...["GET /v1.41/networks", "GET /v1.41/containers/exit-relay/json"],
      "GET /v1.41/containers/exit-relay/logs?stdout=1&stderr=1&since=0&timestamps=1",
      ...["GET /v1.41/events?since=0&until=1", `GET /v1.41/images/${image}/json?manifests=1`],
      // The proxy drops the upgrade offer, to which the engine would answer 101.
      "GET /_ping --header Upgrade:h2c --header Connection:Upgrade,HTTP2-Settings --header HTTP2-Settings:AAMAAABkAAQAAP__",
    ];
    expect(statuses(requests)).toEqual(requests.map((request) => [request, "200"]));
  });

  test("refuses requests that change or run something, and every other path, however it is spelled", () => {
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
      // Reads with more access than needed: one writes to a container, and one reads its files.
      ...["attach/ws", "attach", "archive?path=/", "export", "top", "changes", "stats"].map(
        (what) => `GET ${container}/${what}`,
      ),
      ...[
        "GET /images/json",
        "GET /images/get",
        "GET /v1.41/images/x/json",
        `GET /images/sha256:${"a".repeat(64)}/get`,
        `GET /images/sha256:${"a".repeat(64)}/../../info/json`,
        "GET /volumes",
        "GET /info",
      ],
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
      // Paths that proxy and engine may parse differently.
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
      // An absolute URL as the request target, and request smuggling behind an allowed request.
      ...[
        `GET /_ping --request-target ${PROXY}/_ping`,
        `GET /_ping --request-target ${PROXY}/swarm`,
      ],
      `GET ${container}/logs --header Upgrade:tcp --header Connection:Upgrade`,
    ];
    expect(statuses(requests).filter(([, code]) => code !== "403")).toEqual([]);
  });

  test("explains and logs a denied request", () => {
    const { stderr, status } = spawnSync(
      "docker",
      ["exec", "reader", "docker", "exec", "exit-relay", "id"],
      { encoding: "utf8", env: process.env },
    );
    expect([status, stderr]).toEqual([
      1,
      "Error response from daemon: the engine proxy does not allow this request: constructs/engine-proxy/haproxy.cfg lists what Alloy and the exit relay may read\n",
    ]);
    expect(docker("logs", "engine-proxy")).toMatch(
      / 403 .*"POST \/v1\.\d+\/containers\/exit-relay\/exec HTTP\/1\.1"/,
    );
  });

  test("does not log a connection that ends without a request", () => {
    const bad = () => docker("logs", "engine-proxy").match(/<BADREQ>/g)?.length ?? 0;
    const before = bad();
    script(
      `curl --silent --max-time 2 telnet://engine-proxy.${ENGINE_NETWORK}:2375 </dev/null || :`,
    );
    expect(statuses(["GET /swarm/after"])).toEqual([["GET /swarm/after", "403"]]);
    expect(docker("logs", "engine-proxy")).toContain('"GET /swarm/after HTTP/1.1"');
    expect(bad()).toBe(before);
  });

  test("streams events and logs as they come", async () => {
    // Otherwise events before it connects would be missed.
    const since = Math.floor(Date.now() / 1000);
    script(
      `docker events --since ${since} --filter event=create --format '{{index .Actor.Attributes "name"}}' >/tmp/events 2>&1 </dev/null &`,
    );
    docker(
      ...["run", ...TRIAL, "--detach", "--init", "--name", "e2e-stream", "--entrypoint", "sh"],
      ...[
        DOCKER_CLI_IMAGE,
        "-c",
        "echo one; until [ -f /tmp/go ]; do sleep 1; done; echo two; sleep 600",
      ],
    );
    await eventually(() => (script("cat /tmp/events").includes("e2e-stream") ? [] : ["event"]));
    script("docker logs --follow e2e-stream >/tmp/log 2>&1 </dev/null &");
    const shows = (wanted: string) => () => {
      const log = script("cat /tmp/log");
      return log === wanted ? [] : [log];
    };
    await eventually(shows("one"));
    docker("exec", "e2e-stream", "touch", "/tmp/go");
    await eventually(shows("one\ntwo"));
  });

  test("is reachable from its own network alone, not from other networks or the host", () => {
    const address = docker(
      ...["inspect", "engine-proxy", "--format"],
      `{{(index .NetworkSettings.Networks "${ENGINE_NETWORK}").IPAddress}}`,
    );
    const ask = (seconds: number) =>
      `curl --silent --max-time ${seconds} http://${address}:2375/_ping`;
    expect(script(ask(20))).toBe("OK");
    const { infra, project } = labSecured.networks;
    const from = [infra.name, project.name, "bridge", "host"].map((network) => {
      const { stdout } = spawnSync(
        "docker",
        [
          ...["run", ...TRIAL, "--rm", "--network", network, "--entrypoint", "sh"],
          ...[DOCKER_CLI_IMAGE, "-c", ask(2)],
        ],
        { encoding: "utf8", env: process.env },
      );
      return { network, stdout };
    });
    // A router beyond the host may answer for an address that the host cannot reach.
    expect(from.filter(({ stdout }) => stdout.includes("OK"))).toEqual([]);
    expect(from).toHaveLength(4);
  });

  test("is the only way to the engine for a container with Alloy's mounts of the host", () => {
    const processes = docker("top", "engine-proxy", "-o", "pid").split("\n").slice(1);
    expect(processes.length).toBeGreaterThanOrEqual(2);
    // The path of the socket, and the ways to it through processes that have it open.
    const roots = ["", ...processes.map((pid) => `/host/proc/${pid}/root`)];
    const ways = roots.flatMap((root) =>
      ["run", "var/run"].map((at) => `${root}/${at}/docker.sock`),
    );
    expect(script(`ls -d ${ways.join(" ")} 2>/dev/null || true`)).toBe("");
    expect(script(`cat /host/proc/${processes[0]}/comm`)).toBe("docker-init");
  });

  test("Alloy's user with Alloy's mounts reads no key, no file of another container and no /etc/shadow", () => {
    const containers = docker(
      ...["ps", "--format", "{{.Names}}"],
      ...["--filter", `label=groundwork.environment=${labSecured.name}`],
    ).split("\n");
    expect(containers).toEqual(expect.arrayContaining(["kafka-1", "opensearch-1", "engine-proxy"]));
    const processes = [
      "1",
      ...containers.flatMap((name) => docker("top", name, "-o", "pid").split("\n").slice(1)),
    ];
    // A process can be read that way only by itself, its user, or root.
    const ways = ["root", "cwd", "environ", "mem", "fd", "exe"];
    const paths = processes.flatMap((pid) => ways.map((way) => `/host/proc/${pid}/${way}`));
    const opens = (path: string) =>
      `if [ -d ${path} ]; then ls ${path}/ ; else head -c 1 ${path}; fi >/dev/null 2>&1 && echo ${path}`;
    expect(script(`${paths.map(opens).join("\n")}\ntrue`)).toBe("");
    expect(script("find /host -path /host/proc -prune -o -type f -print")).toBe("/host/root");
    expect(script("grep -c '' /host/root && ! grep -q 'root:' /host/root && echo hosts")).toMatch(
      /hosts$/,
    );
  });

  test("runs as a user of its own, in the group of the socket", () => {
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

  test("comes back after a stop, and the exit relay then reports what ended in the meantime", async () => {
    const ended = () => Number(docker("inspect", "--format", "{{.RestartCount}}", "exit-relay"));
    const before = ended();
    docker("stop", "engine-proxy");
    runToEnd(labSecured.name, "e2e-cut", "exit 8");
    docker("start", "engine-proxy");
    const told = () => relayed("e2e-cut").filter(({ exit_code }) => exit_code === 8);
    await eventually(() => (told().length > 0 ? [] : ["the end of e2e-cut"]));
    // Only once: repeated restarts would raise an alert.
    expect(ended() - before).toBe(1);
  });
});
