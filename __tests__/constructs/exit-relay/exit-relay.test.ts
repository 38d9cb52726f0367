import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../support/root";
import { ALPINE_SHELL, pathOf } from "../../support/sidecar";

const SCRIPT = join(ROOT, "constructs/exit-relay/exit-relay.sh");

const NOW = Math.floor(Date.now() / 1000);
const ago = (seconds: number) => new Date((NOW - seconds) * 1000).toISOString();

/** By the id that the engine has for it, and of one that it does not have any more. */
const [IMAGE, PRUNED] = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}`);

/** What tells containers apart that are measured by their id. */
const known = (id: string, image = IMAGE, cluster = "") =>
  `"id":"${id}","cluster":"${cluster}","environment":"lab","image":"${image}",`;
const knownAs = (id: string, image = "example/kafka:4", cluster = "") => ({
  ...{ id, cluster, environment: "lab", image },
});

/** What the engine says of containers, in the order of the script's template. */
const INSPECTED = [
  `own running 2026-11-23T05:00:00.123456789Z 0001-01-01T00:00:00Z 0 ${known("a", IMAGE, "kafka")}"container":"kafka-1","service":"kafka-1","role":"service","stack":"messaging"`,
  `own exited 2026-11-23T05:00:00Z 2026-11-23T05:01:00.5Z 0 ${known("b")}"container":"os-init","service":"os-init","role":"init","stack":"data"`,
  `own exited 2026-11-23T05:00:00Z 2026-11-23T05:02:00Z 137 ${known("c", PRUNED)}"container":"kafka-init","service":"kafka-init","role":"init","stack":"messaging"`,
  `own created 2026-11-23T05:00:00Z 0001-01-01T00:00:00Z 0 ${known("d")}"container":"late-init","service":"late-init","role":"init","stack":"data"`,
  `application exited 2026-11-23T05:00:00Z ${ago(3600)} 3 "container":"report","service":"report","role":"application","stack":""`,
  `application exited 2026-11-23T05:00:00Z ${ago(90_000)} 3 "container":"yesterday","service":"yesterday","role":"application","stack":""`,
  'application running 2026-11-23T05:00:00Z 0001-01-01T00:00:00Z 0 "container":"orders","service":"orders","role":"application","stack":""',
  `measured running 2026-11-23T05:00:00Z 0001-01-01T00:00:00Z 0 ${known("i", "example/shop:1")}"container":"shop-1","service":"shop","role":"application","stack":""`,
  `ignored exited 2026-11-23T05:00:00Z ${ago(60)} 3 "container":"private","service":"private","role":"application","stack":""`,
];

/** A docker CLI that answers as told and notes how its events were asked for. */
const DOCKER = `#!/bin/sh
here=$(dirname "$0")
case $* in
  version) [ ! -e "$here/absent" ] || { rm "$here/absent"; echo "no engine answers" >&2; exit 1; } ;;
  ps*network=project_net*) cat "$here/members" ;;
  ps*network=infra_net*) [ ! -e "$here/insiders" ] || cat "$here/insiders" ;;
  ps*label=exitCode*) [ ! -e "$here/labelled" ] || cat "$here/labelled" ;;
  ps*label=signal*) ;;
  ps*) cat "$here/own" ;;
  inspect*groundwork*) printf '%s\\n' "$@" >"$here/template"; cat "$here/inspected" ;;
  inspect*Networks*posing) echo true ;;
  inspect*Networks*) echo false ;;
  inspect*Status*) cat "$here/state" ;;
  inspect*) cat "$here/stopped" ;;
  image\\ inspect*${IMAGE}) [ -e "$here/untagged" ] || printf '%s\\n' example/kafka:4 registry.example/kafka:4 ;;
  image*) echo "no such image" >&2; exit 1 ;;
  events*) shift; printf '%s\\n' "$@" >"$here/asked"; cat "$here/events" ;;
esac
`;

/** An application, as an event's fields tell of it. */
const app = (container: string, service = container) =>
  `"container":"${container}","service":"${service}","role":"application","stack":"shop"`;

describe.each(ALPINE_SHELL)("the exit relay in %s", (_, [command, ...args]) => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "relay-"));
    writeFileSync(join(bin, "docker"), DOCKER);
    chmodSync(join(bin, "docker"), 0o755);
    // Its hourly repetition would keep the test's pipes open.
    writeFileSync(join(bin, "sleep"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    mkdirSync(join(bin, "work"));
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  const NEW = "0001-01-01T00:00:00Z";
  const lines = (of: readonly string[]) => of.map((line) => `${line}\n`).join("");

  /** Runs the relay over events, in the order of the script's template, beside containers that are on the network already. */
  const relay = (
    stopped: string,
    events: readonly string[] = [],
    members: string[] = ["b", "m"],
    complaint = "",
  ) => {
    writeFileSync(join(bin, "own"), lines(["a", "b", "c", "d"]));
    writeFileSync(join(bin, "members"), lines(members));
    writeFileSync(join(bin, "inspected"), lines(INSPECTED));
    writeFileSync(join(bin, "stopped"), lines([stopped]));
    writeFileSync(join(bin, "events"), lines(events));
    const { stdout, stderr, status } = spawnSync(command, [...args, SCRIPT], {
      encoding: "utf8",
      env: {
        PATH: pathOf(command, bin),
        GROUNDWORK_ENVIRONMENT: "lab",
        GROUNDWORK_INFRA_NETWORK: "infra_net",
        GROUNDWORK_PROJECT_NETWORK: "project_net",
        GROUNDWORK_NOTES_DIR: join(bin, "work", "notes"),
        GROUNDWORK_READY_FILE: join(bin, "work", "ready"),
      },
    });
    expect([stderr, status]).toEqual([complaint, 0]);
    const said = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    return {
      states: said.filter(({ event }) => event === "state"),
      told: said.filter(({ event }) => event !== "state"),
      asked: readFileSync(join(bin, "asked"), "utf8"),
      inspected: readFileSync(join(bin, "template"), "utf8"),
    };
  };

  /** A container's exits: its name and exit code. */
  const ends = (told: Record<string, unknown>[]) =>
    told.map(({ event, container, exit_code }) => `${container} ${exit_code ?? event}`);

  test("first reports the state of every container of the environment and the exits of applications within a day, with the container's own times", () => {
    const { states } = relay(NEW);
    const at = (time: string) => Date.parse(`2026-11-23T${time}Z`) / 1000;
    const created = at("05:00:00");
    const state = { time: expect.any(Number), event: "state", created };
    expect(states).toEqual([
      {
        ...state,
        ...knownAs("a", "example/kafka:4", "kafka"),
        container: "kafka-1",
        service: "kafka-1",
        role: "service",
        stack: "messaging",
        status: "running",
      },
      {
        ...state,
        ...knownAs("b"),
        ...{ container: "os-init", service: "os-init", role: "init", stack: "data" },
        ...{ status: "exited", exit_code: 0, finished: at("05:01:00"), succeeded: at("05:01:00") },
      },
      {
        ...state,
        ...knownAs("c", PRUNED),
        ...{ container: "kafka-init", service: "kafka-init" },
        ...{ role: "init", stack: "messaging" },
        ...{ status: "exited", exit_code: 137, finished: at("05:02:00") },
      },
      {
        ...state,
        ...knownAs("d"),
        container: "late-init",
        service: "late-init",
        role: "init",
        stack: "data",
        status: "created",
      },
      {
        ...state,
        ...{ container: "report", service: "report", role: "application", stack: "" },
        ...{ status: "exited", exit_code: 3, finished: NOW - 3600 },
      },
      {
        ...state,
        ...knownAs("i", "example/shop:1"),
        ...{ container: "shop-1", service: "shop", role: "application", stack: "" },
        status: "running",
      },
    ]);
    expect(existsSync(join(bin, "work", "ready"))).toBe(true);
  });

  test("keeps the name of an image over a restart", () => {
    const images = () => relay(NEW).states.flatMap(({ image }) => image ?? []);
    const seen = images();
    expect(seen).toContain("example/kafka:4");
    writeFileSync(join(bin, "untagged"), "");
    expect(images()).toEqual(seen);
  });

  test("follows the events of containers and networks from now on, when it is new", () => {
    const before = Math.floor(Date.now() / 1000);
    const { asked } = relay(NEW);
    const since = Number(/--since\n(.*)\n/.exec(asked)?.[1]);
    expect(since).toBeGreaterThanOrEqual(before);
    expect([...asked.matchAll(/--filter\n(.*)\n/g)].map(([, filter]) => filter)).toEqual([
      ...["type=container", "type=network"],
      ...["create", "start", "die", "oom", "kill", "destroy", "connect", "disconnect"].map(
        (event) => `event=${event}`,
      ),
    ]);
  });

  test("waits for an engine that does not answer yet, logs it, then reports everything", () => {
    writeFileSync(join(bin, "absent"), "");
    const die = `application die m 1000 3 - ${app("orders")}`;
    const { states, told } = relay(NEW, [die], ["m"], "no engine answers\n");
    expect(states).toHaveLength(6);
    expect(told).toHaveLength(1);
  });

  test("continues where it stopped, after a restart", () => {
    expect(relay("2026-11-23T04:59:58.25Z").asked).toContain("--since\n2026-11-23T04:59:58.25Z\n");
  });

  test("reports the environment's own containers on any network, their creation, and the names of their ids", () => {
    const own = `${known("o1")}"container":"os-init","service":"os-init","role":"init","stack":"data"`;
    const fields = {
      ...knownAs("o1"),
      ...{ container: "os-init", service: "os-init", role: "init", stack: "data" },
    };
    const { told } = relay(NEW, [
      `own create o1 1000 - - ${own}`,
      `own oom o1 1001 - - ${own}`,
      `own die o1 1002 137 - ${own}`,
      `own die o1 1003 0 - ${own}`,
    ]);
    expect(told).toEqual([
      { time: 1000, event: "create", ...fields, created: 1000 },
      { time: 1001, event: "oom", ...fields, oom_killed: 1001 },
      { time: 1002, event: "die", ...fields, exit_code: 137, finished: 1002 },
      { time: 1003, event: "die", ...fields, exit_code: 0, finished: 1003, succeeded: 1003 },
    ]);
  });

  test("reports nothing of an application that has the labels of one of the environment's own containers", () => {
    const init = (id: string) =>
      `${known(id)}"container":"${id}","service":"kafka-init","role":"init","stack":"messaging"`;
    const { told } = relay(NEW, [
      `own create posing 1000 - - ${init("posing")}`,
      "network connect posing 1000",
      `own oom posing 1001 - - ${init("posing")}`,
      `own die posing 1001 0 - ${init("posing")}`,
      "network disconnect posing 1001",
      `own die posing 1002 0 - ${init("posing")}`,
      // One that is older than the relay.
      `own die b 1003 0 - ${init("b")}`,
    ]);
    expect(told).toEqual([]);
  });

  test("reports the environment's own containers that are on both networks, also over a restart", () => {
    const node = (id: string) =>
      `${known(id, IMAGE, "kafka")}"container":"${id}","service":"${id}","role":"service","stack":"messaging"`;
    const events = [
      ...["network connect n1 1000", "inside connect n1 1000"],
      ...["network disconnect n1 1001", "elsewhere disconnect n1 1001"],
    ];
    writeFileSync(join(bin, "insiders"), "b\n");
    const dies = (...ids: string[]) => ids.map((id) => `own die ${id} 1001 137 - ${node(id)}`);
    expect(ends(relay(NEW, [...events, ...dies("n1", "b")]).told)).toEqual(["n1 137", "b 137"]);
    expect(ends(relay("2026-11-23T04:59:58.25Z", dies("n1")).told)).toEqual(["n1 137"]);
  });

  test("takes the environment's containers by their networks too, when it reports states and events", () => {
    const { asked, inspected } = relay(NEW);
    expect(inspected).toContain(
      '{{if and (eq (index $l "groundwork.environment") "lab") (index .NetworkSettings.Networks "project_net") (not (index .NetworkSettings.Networks "infra_net"))}}ignored{{else}}{{if (eq',
    );
    expect(asked).toContain(
      '{{if eq (index $l "name") "project_net"}}network{{else if eq (index $l "name") "infra_net"}}inside{{else}}elsewhere{{end}} {{.Action}}',
    );
  });

  test("reports the id, start and exit of an application with our label, and counts its failures by service", () => {
    const fields = (id: string) => `${known(id)}${app(id.replace("s", "shop-"), "shop")}`;
    const { told } = relay(NEW, [
      "network connect s1 1000",
      `measured start s1 1000 - - ${fields("s1")}`,
      `measured die s1 1001 1 - ${fields("s1")}`,
      "network connect s2 1002",
      `measured start s2 1002 - - ${fields("s2")}`,
      `measured oom s2 1003 - - ${fields("s2")}`,
      `measured die s2 1003 137 - ${fields("s2")}`,
      `measured start elsewhere 1004 - - ${fields("elsewhere")}`,
      `application start m 1005 - - ${app("other")}`,
    ]);
    const named = (id: string, container: string) => ({
      ...knownAs(id),
      ...{ container, service: "shop", role: "application", stack: "shop" },
    });
    expect(told).toEqual([
      { time: 1000, event: "start", ...named("s1", "shop-1") },
      {
        ...{ time: 1001, event: "die", ...named("s1", "shop-1") },
        ...{ exit_code: 1, finished: 1001, failures: 1, failed: 1001 },
      },
      { time: 1002, event: "start", ...named("s2", "shop-2") },
      { time: 1003, event: "oom", ...named("s2", "shop-2"), oom_killed: 1003 },
      {
        ...{ time: 1003, event: "die", ...named("s2", "shop-2") },
        ...{ exit_code: 137, finished: 1003, failures: 2, failed: 1003 },
      },
    ]);
  });

  test.each([
    ["it was on the network before the relay", [`application die m 1000 3 - ${app("orders")}`]],
    [
      "it joins as it starts",
      [
        `application create n1 1000 - - ${app("orders")}`,
        "network connect n1 1000",
        `application die n1 1001 3 - ${app("orders")}`,
        "network disconnect n1 1001",
      ],
    ],
    [
      "its engine takes it off the network before it tells of the end",
      [
        "network connect n1 1000",
        "network disconnect n1 1060",
        `application die n1 1061 3 - ${app("orders")}`,
        `application destroy n1 1061 - - ${app("orders")}`,
      ],
    ],
    [
      "it joins another network too, and leaves that",
      [
        "network connect n1 1000",
        "elsewhere connect n1 1000",
        "elsewhere disconnect n1 1001",
        `application die n1 2000 3 - ${app("orders")}`,
      ],
    ],
  ])("reports an application's exit when %s", (_when, events) => {
    expect(ends(relay(NEW, events).told)).toEqual(["orders 3"]);
  });

  test.each([
    ["is on other networks only", ["elsewhere connect n1 1000"], "application"],
    [
      "has left the network",
      ["network connect n1 900", "network disconnect n1 950"],
      "application",
    ],
    ["has opted out", ["network connect n1 1000"], "ignored"],
  ])("reports nothing of a container that %s", (_what, events, whose) => {
    const { told } = relay(NEW, [
      ...events,
      `${whose} oom n1 1001 - - ${app("orders")}`,
      `${whose} die n1 1001 137 - ${app("orders")}`,
    ]);
    expect(told).toEqual([]);
  });

  test("reports an out-of-memory kill before or after the exit", () => {
    const { told } = relay(NEW, [
      "network connect n1 1000",
      `application oom n1 1001 - - ${app("first")}`,
      `application die n1 1001 137 - ${app("first")}`,
      `application die m 1001 137 - ${app("second")}`,
      "network disconnect m 1001",
      `application oom m 1002 - - ${app("second")}`,
    ]);
    expect(ends(told)).toEqual(["first oom", "first 137", "second 137", "second oom"]);
    expect(told.map(({ oom_killed }) => oom_killed)).toEqual([1001, undefined, undefined, 1002]);
  });

  const failures = (told: Record<string, unknown>[]) => told.map((line) => line.failures);

  test("counts the failures of an application within 15 minutes over all its containers", () => {
    const die = (time: number, container: string, service: string, code = 1) =>
      `application die m ${time} ${code} - ${app(container, service)}`;
    const { told } = relay(NEW, [
      die(1000, "job-a", "example/job"),
      die(1001, "job-b", "example/job"),
      die(1002, "api", "api"),
      die(1003, "job-c", "example/job", 0),
      die(1004, "job-d", "example/job"),
      die(1900, "job-e", "example/job"),
      die(3000, "job-f", "example/job"),
    ]);
    expect(failures(told)).toEqual([1, 2, 1, undefined, 3, 3, 1]);
    expect(told[0]).toEqual({
      time: 1000,
      event: "die",
      ...{ container: "job-a", service: "example/job", role: "application", stack: "shop" },
      ...{ exit_code: 1, finished: 1000, failures: 1, failed: 1000 },
    });
  });

  test("distinguishes services with quotes, spaces and backslashes in their names", () => {
    const odd = String.raw`a \"b\" \\n c`;
    const die = (time: number, service: string) =>
      `application die m ${time} 1 - ${app("odd", service)}`;
    const { told } = relay(NEW, [die(1000, odd), die(1001, odd), die(1002, String.raw`a \"b\"`)]);
    expect(told[0].service).toBe(String.raw`a "b" \n c`);
    expect(failures(told)).toEqual([1, 2, 1]);
  });

  test("does not count a requested stop, and reports its signal", () => {
    const { told } = relay(NEW, [
      `application kill m 1000 - 15 ${app("orders")}`,
      `application kill m 1010 - 9 ${app("orders")}`,
      `application die m 1010 137 - ${app("orders")}`,
      `application die m 1020 137 - ${app("orders")}`,
      // A reload.
      `application kill m 1030 - 1 ${app("orders")}`,
      `application die m 1031 2 - ${app("orders")}`,
    ]);
    expect(told.map(({ signal, failures }) => ({ signal, failures }))).toEqual([
      { signal: 9, failures: undefined },
      { signal: undefined, failures: 1 },
      { signal: undefined, failures: 2 },
    ]);
  });

  describe("of a container with a label named exitCode", () => {
    const inspected = (state: string) => writeFileSync(join(bin, "state"), `${state}\n`);
    const create = `application create n1 999 0 - ${app("orders")}`;
    const events = [
      "network connect n1 1000",
      `application die n1 1001 0 - ${app("orders")}`,
      `application destroy n1 1001 0 - ${app("orders")}`,
    ];

    test.each(["exited", "restarting", "dead", "removing"])(
      "reports the exit code that the %s container has",
      (status) => {
        inspected(`${status} 3`);
        const { told } = relay(NEW, [create, ...events]);
        expect(ends(told)).toEqual(["orders 3"]);
        expect(told[0]).toMatchObject({ failures: 1, failed: 1001 });
      },
    );

    test("reports it of one that is older than the relay, even if the label is no number", () => {
      inspected("exited 3");
      writeFileSync(join(bin, "labelled"), "n1\n");
      expect(ends(relay(NEW, events).told)).toEqual(["orders 3"]);
      rmSync(join(bin, "labelled"));
      const die = `application die m 1002 0%0A1 - ${app("api")}`;
      expect(ends(relay(NEW, [die]).told)).toEqual(["api 3"]);
    });

    test.each(["running 0", ""])(
      "reports no exit code if the container is removed or runs again (%p)",
      (state) => {
        inspected(state);
        expect(relay(NEW, [create, ...events]).told).toEqual([
          {
            ...{ time: 1001, event: "die", finished: 1001, container: "orders" },
            ...{ service: "orders", role: "application", stack: "shop" },
            message: "the label exitCode hides the exit code: rename the label",
          },
        ]);
      },
    );

    test("trusts the event again once the container is removed", () => {
      inspected("exited 3");
      const { told } = relay(NEW, [create, ...events, events[0], events[1]]);
      expect(ends(told)).toEqual(["orders 3", "orders 0"]);
    });
  });

  test("counts the failures of a container whose label named signal pretends that it was stopped", () => {
    const { told } = relay(NEW, [
      `application start m 1000 - 15 ${app("orders")}`,
      `application kill m 1001 - 15 ${app("orders")}`,
      `application die m 1002 1 15 ${app("orders")}`,
    ]);
    expect(told.map(({ signal, failures }) => ({ signal, failures }))).toEqual([{ failures: 1 }]);
  });

  test("prints no label unescaped", () => {
    const format = /--format\n(.*)\n/.exec(relay(NEW).asked)?.[1] ?? "";
    const printed = [...format.matchAll(/{{(.*?)}}/g)].map(([, action]) => action);
    // What the engine alone sets.
    const safe = [".Action", ".Actor.ID", ".Time", 'index $l "container"'];
    const unsafe = printed.filter(
      (action) =>
        !safe.includes(action) && !/^(\$\w := |if |else|end$|json |urlquery )/.test(action),
    );
    expect(unsafe).toEqual([]);
    expect(printed.filter((action) => /exitCode|signal/.test(action))).toEqual([
      'urlquery (or (index $l "exitCode") "-")',
      'urlquery (or (index $l "signal") "-")',
    ]);
  });

  test("remembers containers on the network over a restart, and forgets removed ones", () => {
    const die = (id: string) => `application die ${id} 1010 1 - ${app(id)}`;
    relay(NEW, [
      "network connect kept 1000",
      "network connect gone 1000",
      `application destroy gone 1001 - - ${app("gone")}`,
    ]);
    const { told } = relay("2026-11-23T04:59:58.25Z", [die("kept"), die("gone")], []);
    expect(ends(told)).toEqual(["kept 1"]);
  });
});
