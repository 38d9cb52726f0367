import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../support/root";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alloy-"));
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "storage"));
  copyFileSync(join(ROOT, "constructs/alloy/start.sh"), join(folder, "start.sh"));
  writeFileSync(join(folder, "run.sh"), 'echo "run $*"\n');
  program("find", 'echo "find $*"');
  program("setpriv", 'while [ "$1" != bash ]; do printf "%s " "$1"; shift; done; echo; exec "$@"');
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(name: string, body: string): void {
  writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

/** Starts Alloy with an engine, whose socket has this mode and the group 998. Returns what ran. */
function start(engine: string, mode: string): string[] {
  program("stat", `case $2 in %g) echo 998 ;; %A) echo ${mode} ;; *) exit 1 ;; esac`);
  const { stdout, stderr, status } = spawnSync(
    "bash",
    [join(folder, "start.sh"), "/config", join(folder, "storage"), "--disable-reporting"],
    {
      encoding: "utf8",
      env: { PATH: `${join(folder, "bin")}:${process.env.PATH}`, ENGINE: engine },
    },
  );
  expect([stderr, status]).toEqual(["", 0]);
  return stdout.trimEnd().replaceAll(folder, "").split("\n");
}

const OWNED = "find  /storage -depth -user root -exec chown --no-dereference alloy: {} +";
const RUN = "run /config --storage.path=/storage --disable-reporting";

test("with an engine proxy, Alloy runs as a user of its own, in no other group", () => {
  expect(start("tcp://engine-proxy.engine_net:2375", "srw-rw----")).toEqual([
    OWNED,
    "--reuid=alloy --regid=alloy --clear-groups ",
    RUN,
  ]);
});

test("with the engine's socket, Alloy runs as a user of its own, in the group of the socket", () => {
  expect(start("unix:///run/docker.sock", "srw-rw----")).toEqual([
    OWNED,
    "--reuid=alloy --regid=alloy --groups=998 ",
    RUN,
  ]);
});

test("Alloy stays root if only the owner may write to the engine's socket", () => {
  expect(start("unix:///run/docker.sock", "srwxr-xr-x")).toEqual([RUN]);
});
