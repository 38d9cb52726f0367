import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { totalmem } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "./cdktf";
import { tryDocker } from "./docker";
import type { Demand, Engine, Machine, StateLock } from "./preflight";
import { detectTerraform } from "./terraform";

/** How long a registry may take to answer. */
const PATIENCE_MS = 1500;

/** Looks at the machine; without a demand only at the tools. */
export async function inspectMachine(demand?: Demand): Promise<Machine> {
  const looks = Promise.all([
    tryDocker("info", "--format", "{{json .}}"),
    tryDocker("version", "--format", "{{.Server.APIVersion}}"),
    demand && providerError(demand.environment),
    demand && isLocalEngine() ? takenPorts(demand) : [],
    demand && unobtainableImages(demand.images),
  ]);
  // Terraform takes its time to say its version: meanwhile the others look.
  const terraform = detectTerraform();
  const [info, api, provider, ports, missingImages] = await looks;
  const report = parseReport(info.output);
  const local = demand !== undefined && isLocalEngine();
  return {
    nodeVersion: process.versions.node,
    terraform,
    forcedTerraform: process.env.TERRAFORM_BINARY_NAME,
    providerError: provider,
    engine: report && (await describeEngine(report, api.output)),
    engineError: report
      ? undefined
      : (lastLine(info.output) ?? "the docker command is not installed"),
    missingImages: report && missingImages,
    maxMapCount: local ? readMaxMapCount(report?.MemTotal) : undefined,
    openFiles: local ? readOpenFiles() : undefined,
    takenPorts: ports,
    locks: demand && readLocks(join(PROJECT_ROOT, ".state", demand.environment)),
  };
}

/** What `docker info` says. */
interface EngineReport {
  readonly MemTotal: number;
  readonly ServerVersion: string;
  readonly DockerRootDir: string;
}

function parseReport(output: string): EngineReport | undefined {
  try {
    const report = JSON.parse(output);
    return report.MemTotal ? report : undefined;
  } catch {
    return undefined;
  }
}

async function describeEngine(report: EngineReport, apiVersion: string): Promise<Engine> {
  return {
    version: report.ServerVersion,
    apiVersion,
    memoryMiB: Math.floor(report.MemTotal / 1024 / 1024),
    freeDiskMiB: isLocalEngine() ? await freeMiB(report.DockerRootDir) : undefined,
  };
}

async function freeMiB(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return Math.floor((bavail * bsize) / 1024 / 1024);
  } catch {
    // Docker Desktop's is in a virtual machine.
    return undefined;
  }
}

function isLocalEngine(): boolean {
  const host = process.env.DOCKER_HOST;
  return !host || host.startsWith("unix:") || host.startsWith("npipe:");
}

/** A mirror of one's own is taken at its word, and what is installed serves; else the registry is asked. */
async function providerError(environment: string): Promise<string | undefined> {
  const { TF_CLI_CONFIG_FILE: configFile } = process.env;
  const mirrored =
    configFile &&
    existsSync(configFile) &&
    /(filesystem|network)_mirror/.test(readFileSync(configFile, "utf8"));
  const stack = join(PROJECT_ROOT, "cdktf.out", "stacks", `${environment}-network`);
  if (mirrored || existsSync(join(stack, ".terraform", "providers"))) {
    return undefined;
  }
  return unreachable("https://registry.terraform.io/.well-known/terraform.json");
}

async function unreachable(url: string): Promise<string | undefined> {
  try {
    await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(PATIENCE_MS) });
    return undefined;
  } catch (error) {
    const { cause, message } = error as Error;
    return `${new URL(url).host} does not answer (${(cause as Error | undefined)?.message ?? message})`;
  }
}

/** Images that the engine does not have while their registry does not answer. */
async function unobtainableImages(images: readonly string[]): Promise<string[]> {
  // One call: over ssh each is a connection. It prints those that are there and fails for the others.
  const { output } = await tryDocker(
    "image",
    "inspect",
    "--format",
    "{{json .RepoTags}}",
    ...images,
  );
  const absent = images.filter((image) => !output.includes(JSON.stringify(image)));
  const error = absent.length > 0 && (await unreachable("https://registry-1.docker.io/v2/"));
  return error ? absent : [];
}

/** The kernel's setting, where the engine runs on this kernel and not in a virtual machine with memory of its own. */
function readMaxMapCount(engineMemory?: number): number | undefined {
  try {
    const onThisKernel =
      engineMemory === undefined || Math.abs(engineMemory - totalmem()) < 64 * 1024 * 1024;
    return onThisKernel ? Number(readFileSync("/proc/sys/vm/max_map_count", "utf8")) : undefined;
  } catch {
    return undefined;
  }
}

/** Of the engine's own process, where it can be seen. */
function readOpenFiles(): number | undefined {
  try {
    const engine = readdirSync("/proc").find(
      (pid) => /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "dockerd",
    );
    const [, hard] =
      /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync(`/proc/${engine}/limits`, "utf8")) ?? [];
    return hard === undefined ? undefined : Number(hard);
  } catch {
    return undefined;
  }
}

async function takenPorts(demand: Demand): Promise<number[]> {
  const own = await tryDocker(
    "ps",
    "--filter",
    `label=groundwork.environment=${demand.environment}`,
    "--format",
    "{{.Ports}}",
  );
  const published = new Set(
    [...own.output.matchAll(/127\.0\.0\.1:(\d+)->/g)].map(([, port]) => Number(port)),
  );
  const candidates = [...demand.ports.keys()].filter((port) => !published.has(port));
  const free = await Promise.all(candidates.map(isFree));
  return candidates.filter((_, i) => !free[i]);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * Local states that a Terraform holds now. Its lock is the kernel's, on the state itself; who holds it is in a file beside it, which
 * one that was killed leaves behind.
 */
export function readLocks(folder: string): StateLock[] {
  try {
    const locked = readFileSync("/proc/locks", "utf8");
    return readdirSync(folder)
      .filter((file) => file.endsWith(".tfstate"))
      .filter((file) => locked.includes(`:${statSync(join(folder, file)).ino} `))
      .map((file) => {
        const info = JSON.parse(readFileSync(join(folder, `.${file}.lock.info`), "utf8"));
        return { file, who: info.Who, since: info.Created };
      });
  } catch {
    // No such folder, no Linux, or the lock has gone in this moment.
    return [];
  }
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").pop() || undefined;
}
