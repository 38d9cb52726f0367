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
import { INSTALLED_SHELLS } from "../support/sidecar";

const SCRIPT = join(__dirname, "../../constructs/exit-relay/exit-relay.sh");

/** What the engine says of its containers, in the order of the script's template. */
const INSPECTED = [
  'running 2026-11-23T05:00:00.123456789Z 0001-01-01T00:00:00Z 0 "container":"kafka-1","service":"kafka-1","role":"service","stack":"messaging"',
  'exited 2026-11-23T05:00:00Z 2026-11-23T05:01:00.5Z 0 "container":"os-init","service":"os-init","role":"init","stack":"data"',
  'exited 2026-11-23T05:00:00Z 2026-11-23T05:02:00Z 137 "container":"kafka-init","service":"kafka-init","role":"init","stack":"messaging"',
  'created 2026-11-23T05:00:00Z 0001-01-01T00:00:00Z 0 "container":"late-init","service":"late-init","role":"init","stack":"data"',
];

/** A docker CLI that answers as told and notes how its events were asked for. */
const DOCKER = `#!/bin/sh
here=$(dirname "$0")
case $1 in
  ps) cat "$here/ids" ;;
  inspect) case "$*" in *--format*FinishedAt*groundwork*) cat "$here/inspected" ;; *) cat "$here/stopped" ;; esac ;;
  events) shift; printf '%s\\n' "$@" >"$here/asked" ;;
esac
`;

describe.each(INSTALLED_SHELLS)("the exit relay in %s", (_, [command, ...args]) => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "relay-"));
    if (command === "busybox") {
      spawnSync("busybox", ["--install", "-s", bin]);
    }
    writeFileSync(join(bin, "docker"), DOCKER);
    chmodSync(join(bin, "docker"), 0o755);
    // Its hourly repetition would keep the test's pipes open.
    rmSync(join(bin, "sleep"), { force: true });
    writeFileSync(join(bin, "sleep"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    mkdirSync(join(bin, "work"));
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  const relay = (stopped: string) => {
    writeFileSync(join(bin, "ids"), "a\nb\nc\nd\n");
    writeFileSync(join(bin, "inspected"), `${INSPECTED.join("\n")}\n`);
    writeFileSync(join(bin, "stopped"), `${stopped}\n`);
    const { stdout, stderr, status } = spawnSync(command, [...args, SCRIPT], {
      encoding: "utf8",
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        GROUNDWORK_ENVIRONMENT: "lab",
        GROUNDWORK_READY_FILE: join(bin, "work", "ready"),
      },
    });
    expect([stderr, status]).toEqual(["", 0]);
    return {
      lines: stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
      asked: readFileSync(join(bin, "asked"), "utf8"),
    };
  };

  test("says first in which state every container is, with the container's own times", () => {
    const { lines } = relay("0001-01-01T00:00:00Z");
    const at = (time: string) => Date.parse(`2026-11-23T${time}Z`) / 1000;
    const created = at("05:00:00");
    const state = { time: expect.any(Number), event: "state", created };
    expect(lines).toEqual([
      {
        ...state,
        container: "kafka-1",
        service: "kafka-1",
        role: "service",
        stack: "messaging",
        status: "running",
      },
      {
        ...state,
        ...{ container: "os-init", service: "os-init", role: "init", stack: "data" },
        ...{ status: "exited", exit_code: 0, finished: at("05:01:00"), succeeded: at("05:01:00") },
      },
      {
        ...state,
        ...{ container: "kafka-init", service: "kafka-init", role: "init", stack: "messaging" },
        ...{ status: "exited", exit_code: 137, finished: at("05:02:00") },
      },
      {
        ...state,
        container: "late-init",
        service: "late-init",
        role: "init",
        stack: "data",
        status: "created",
      },
    ]);
    expect(existsSync(join(bin, "work", "ready"))).toBe(true);
  });

  test("follows the events of the environment's containers from now on, when it is new", () => {
    const before = Math.floor(Date.now() / 1000);
    const { asked } = relay("0001-01-01T00:00:00Z");
    const since = Number(/--since\n(.*)\n/.exec(asked)?.[1]);
    expect(since).toBeGreaterThanOrEqual(before);
    expect(asked).toContain("label=groundwork.environment=lab\n");
    for (const event of ["create", "die", "oom"]) {
      expect(asked).toContain(`--filter\nevent=${event}\n`);
    }
  });

  test("goes on from where it stopped, after a restart", () => {
    expect(relay("2026-11-23T04:59:58.25Z").asked).toContain("--since\n2026-11-23T04:59:58.25Z\n");
  });
});
