import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { labEnginePid } from "../../lab/prepare";
import { docker, expectDone, freshLab, kafka, npm, OF_THE_LAB, openSearch, records } from "./lab";

/** What dies first: the processes of the lab's containers, or the Docker engine that they belong to. */
export type First = "containers" | "engine";

/** How long one outlives the other: an engine that sees its containers end begins to start them again. */
const DELAYS_MS = [0, 50, 150, 300, 1000];

/** The lab is deployed again, with its data, whenever everything that it consists of was killed. */
export function testKilled(first: First): void {
  beforeAll(async () => {
    await freshLab();
    expectDone(npm("lab"));
    openSearch("PUT", "/kept/_doc/1?refresh=true", { kept: true });
    kafka("kafka-console-producer", ["--topic", "infra-events"], "kept\n");
  });

  test.each(DELAYS_MS)(
    `npm run lab finds its data after the ${first} died, and the rest %i ms later`,
    async (delay) => {
      await killLab(first, delay);
      expectDone(npm("lab"));
      expect(openSearch("GET", "/kept/_count").count).toBe(1);
      expect(records("infra-events")).toBe(1);
    },
  );
}

async function killLab(first: First, delayMs: number): Promise<void> {
  const engine = labEnginePid() as string;
  // Never one that somebody else has started.
  expect(nameOf(engine)).toBe("dockerd");
  const ids = docker("ps", "--quiet", "--no-trunc", ...OF_THE_LAB).split("\n");
  const isOfContainer = (text: string) => ids.some((id) => text.includes(id));
  const ofContainers = processes((pid) => isOfContainer(read(pid, "cgroup")));
  const ofEngine = processes(
    (pid) =>
      pid === engine ||
      read(pid, "status").includes(`\nPPid:\t${engine}\n`) ||
      (nameOf(pid).startsWith("containerd-shim") && isOfContainer(read(pid, "cmdline"))),
  );
  expect(ofContainers.length).toBeGreaterThanOrEqual(ids.length);
  // Itself, its containerd and what keeps each container.
  expect(ofEngine.length).toBeGreaterThanOrEqual(ids.length + 2);
  const [one, other] = first === "containers" ? [ofContainers, ofEngine] : [ofEngine, ofContainers];
  kill(one);
  await setTimeout(delayMs);
  kill(other);
}

function processes(isOne: (pid: string) => boolean): string[] {
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && isOne(entry));
}

/** All of them in one call, so that none of them sees another one's end. */
function kill(pids: readonly string[]): void {
  execFileSync("sh", ["-c", 'kill -KILL "$@" 2>/dev/null || true', "kill", ...pids]);
}

function nameOf(pid: string): string {
  return read(pid, "comm").trim();
}

/** A file of a process; empty when it has ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
