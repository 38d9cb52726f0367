import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../support/root";

const folder = mkdtempSync(join(tmpdir(), "ports-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Asks whether an engine with a proxy for 127.0.0.1:9093 holds no port, given what docker says of its containers. */
function holdsNoPort(docker: string): string {
  for (const [name, body] of [
    ["docker-proxy", "read -r _"],
    ["docker", docker],
  ]) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const script = `. lab/lib.sh
    mkfifo "$1/open"
    "$1/docker-proxy" -proto tcp -host-ip 127.0.0.1 -host-port 9093 -container-ip 172.28.0.3 -container-port 9093 <>"$1/open" &
    proxy=$!
    await 20 pgrep --parent $$ docker-proxy >/dev/null
    if holds_no_port $$ "$1/docker"; then echo yes; else echo no; fi
    kill $proxy
    rm "$1/open"`;
  const { stdout, stderr, status } = spawnSync("bash", ["-c", script, "bash", folder], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, GROUNDWORK_LAB_CACHE: folder },
  });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return stdout.trim();
}

test.each([
  ["holds a port when no container runs", "exit 0", "no"],
  ["holds a port when a container publishes another port", answers("127.0.0.1:9092"), "no"],
  ["holds no port when a container publishes it", answers("127.0.0.1:9093"), "yes"],
])("an engine %s", (_, docker, answer) => {
  expect(holdsNoPort(docker)).toBe(answer);
});

/** The docker command of an engine with one container that publishes an address. */
function answers(address: string): string {
  return `case "$1" in
    ps) echo 4f5e6d ;;
    inspect) echo ' ${address} ' ;;
  esac`;
}
