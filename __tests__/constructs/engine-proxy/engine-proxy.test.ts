import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../support/root";
import { ALPINE_SHELL, pathOf } from "../../support/sidecar";

const SCRIPT = join(ROOT, "constructs/engine-proxy/start.sh");

/** A HAProxy that says how it was called. */
const HAPROXY = `#!/bin/sh
echo "$PROXY_USER:$PROXY_GROUP $*"
`;

describe.each(ALPINE_SHELL)("the engine's proxy in %s", (_, [command, ...args]) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "proxy-"));
    mkdirSync(join(folder, "bin"));
    copyFileSync(SCRIPT, join(folder, "start.sh"));
    writeFileSync(join(folder, "bin", "haproxy"), HAPROXY, { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs the script with a socket that has this mode and this GID. */
  const start = (mode: string, group: number) => {
    const stat = `#!/bin/sh\ncase $2 in %g) echo ${group} ;; %A) echo ${mode} ;; *) exit 1 ;; esac\n`;
    writeFileSync(join(folder, "bin", "stat"), stat, { mode: 0o755 });
    const { stdout, stderr, status } = spawnSync(command, [...args, join(folder, "start.sh")], {
      encoding: "utf8",
      env: { PATH: pathOf(command, join(folder, "bin")), ENGINE_SOCKET: "/run/docker.sock" },
    });
    expect([stderr, status]).toEqual(["", 0]);
    return stdout.trim().replace(folder, "");
  };

  test.each([
    [
      "the group may write, as on Linux: in that group, as a user of its own",
      "srw-rw----",
      998,
      "99:998",
    ],
    ["root's group may write: in that group", "srw-rw----", 0, "99:0"],
    ["the owner alone may write: as root", "srwxr-xr-x", 0, "0:0"],
  ])("where %s", (_where, mode, group, identity) => {
    expect(start(mode, group)).toBe(`${identity} -db -f /haproxy.cfg`);
  });
});
