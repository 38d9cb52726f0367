import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { labEnginePid } from "../../lab/prepare";
import { docker, expectDone, freshLab, kafka, npm, OF_THE_LAB, openSearch, records } from "./lab";

/** What dies first: the processes of the lab's containers, or their Docker engines. */
export type First = "containers" | "engine";

/** A Docker engine of the lab. */
export interface LabEngineProcess {
  readonly pid: string;
  /** The ids of the lab's containers that run on it. */
  readonly containers: readonly string[];
}

/** How long one outlives the other. An engine that sees its containers end starts them again. */
const DELAYS_MS = [0, 50, 150, 300, 1000];

/** Tests that the lab can be deployed again with its data after all its processes were killed. */
export function testKilled(first: First): void {
  beforeAll(async () => {
    await freshLab();
    expectDone(npm("lab"));
    openSearch("PUT", "/kept/_doc/1?refresh=true", { kept: true });
    kafka("kafka-console-producer", ["--topic", "infra-events"], "kept\n");
  });

  test.each(DELAYS_MS)(
    `npm run lab finds its data after the ${first} died, and the rest %i ms later`,
    async (delayMs) => {
      const pid = labEnginePid() as string;
      const containers = docker("ps", "--quiet", "--no-trunc", ...OF_THE_LAB).split("\n");
      await killEngines(first, [{ pid, containers }], delayMs);
      expectDone(npm("lab"));
      expect(openSearch("GET", "/kept/_count").count).toBe(1);
      expect(records("infra-events")).toBe(1);
    },
  );
}

/** Returns the process of the Docker engine that listens at an address. */
export function enginePidAt(address: string): string {
  const pids = processes(
    (pid) => nameOf(pid) === "dockerd" && read(pid, "cmdline").split("\0").includes(address),
  );
  expect({ address, engines: pids.length }).toEqual({ address, engines: 1 });
  return pids[0];
}

/** Kills engines and the processes of their containers, in either order. */
export async function killEngines(
  first: First,
  engines: readonly LabEngineProcess[],
  delayMs: number,
): Promise<void> {
  const pids = engines.map(({ pid }) => pid);
  // Never kills an engine that the lab did not start.
  expect(pids.map(nameOf)).toEqual(pids.map(() => "dockerd"));
  const ids = engines.flatMap(({ containers }) => containers);
  const isOfContainer = (text: string) => ids.some((id) => text.includes(id));
  const ofContainers = processes((pid) => isOfContainer(read(pid, "cgroup")));
  const ofEngines = processes((pid) => {
    const [, parent] = /^PPid:\t(\d+)$/m.exec(read(pid, "status")) ?? [];
    return (
      pids.includes(pid) ||
      pids.includes(parent) ||
      (nameOf(pid).startsWith("containerd-shim") && isOfContainer(read(pid, "cmdline")))
    );
  });
  expect(ofContainers.length).toBeGreaterThanOrEqual(ids.length);
  // For each engine: dockerd, its containerd, and the shim of each container.
  expect(ofEngines.length).toBeGreaterThanOrEqual(ids.length + 2 * engines.length);
  const [one, other] =
    first === "containers" ? [ofContainers, ofEngines] : [ofEngines, ofContainers];
  kill(one);
  await setTimeout(delayMs);
  kill(other);
}

function processes(isOne: (pid: string) => boolean): string[] {
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && isOne(entry));
}

/** Kills all processes in one call, so that none of them sees another one end. */
function kill(pids: readonly string[]): void {
  execFileSync("sh", ["-c", 'kill -KILL "$@" 2>/dev/null || true', "kill", ...pids]);
}

function nameOf(pid: string): string {
  return read(pid, "comm").trim();
}

/** Returns the content of a process's file in /proc, or nothing if the process has ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
