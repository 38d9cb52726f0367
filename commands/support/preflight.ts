import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { totalmem } from "node:os";
import type { SynthesizedResource } from "./cdktf";
import { tryDocker } from "./docker";
import { detectTerraform, OLDEST_TERRAFORM, type TerraformBinary } from "./terraform";

/** What the platform asks of a machine. */
export interface Demand {
  readonly environment: string;
  /** Sum of what all containers reserve. */
  readonly memoryReservationMiB: number;
  /** Ports on 127.0.0.1 by the container that publishes them. */
  readonly ports: ReadonlyMap<number, string>;
}

/** What was found out about the machine and its engine. */
export interface Machine {
  readonly nodeVersion: string;
  readonly terraform?: TerraformBinary;
  /** Value of TERRAFORM_BINARY_NAME. */
  readonly forcedTerraform?: string;
  /** Why the engine does not answer, when it does not. */
  readonly engineError?: string;
  readonly engineMemoryMiB?: number;
  /** Undefined where the engine is not on this machine. */
  readonly maxMapCount?: number;
  /** Ports of the demand that something other than the platform's own containers uses. */
  readonly takenPorts: readonly number[];
}

/** OpenSearch's bootstrap check, https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/ */
const MAX_MAP_COUNT = 262144;
const OLDEST_NODE = 20;

/** Every reason why a run would fail, each with its remedy; without a demand only what is wrong with the tools. */
export function findProblems(machine: Machine, demand?: Demand): string[] {
  const problems: string[] = [];
  if (Number(machine.nodeVersion.split(".")[0]) < OLDEST_NODE) {
    problems.push(
      `Node is ${machine.nodeVersion}: ${OLDEST_NODE} or newer is needed; install it from your distribution or nodejs.org`,
    );
  }
  if (!machine.terraform && machine.forcedTerraform) {
    problems.push(
      `TERRAFORM_BINARY_NAME is "${machine.forcedTerraform}" and that is no Terraform or OpenTofu: correct it, or unset it to take what is on the PATH`,
    );
  } else if (!machine.terraform) {
    problems.push(
      `neither terraform nor tofu is on the PATH: install Terraform or OpenTofu ${OLDEST_TERRAFORM} or newer, or name one in TERRAFORM_BINARY_NAME`,
    );
  } else if (isOlder(machine.terraform.version, OLDEST_TERRAFORM)) {
    const { product, version, command } = machine.terraform;
    problems.push(
      `${product} (${command}) is ${version}: ${OLDEST_TERRAFORM} or newer is needed; upgrade it`,
    );
  }
  if (machine.engineError !== undefined) {
    problems.push(
      `no Docker engine answers: ${machine.engineError}; start Docker, or point DOCKER_HOST to an engine`,
    );
  }
  return demand ? [...problems, ...findShortages(machine, demand)] : problems;
}

function findShortages(machine: Machine, demand: Demand): string[] {
  const problems: string[] = [];
  if (
    machine.engineMemoryMiB !== undefined &&
    machine.engineMemoryMiB < demand.memoryReservationMiB
  ) {
    problems.push(
      `the engine has ${machine.engineMemoryMiB} MiB of memory and the containers of environment "${demand.environment}" reserve ${demand.memoryReservationMiB} MiB: give the engine more, or lower memoryScale or the number of nodes in environments/${demand.environment}.ts`,
    );
  }
  if (machine.maxMapCount !== undefined && machine.maxMapCount < MAX_MAP_COUNT) {
    problems.push(
      `vm.max_map_count is ${machine.maxMapCount}: OpenSearch needs at least ${MAX_MAP_COUNT}; sudo sysctl -w vm.max_map_count=${MAX_MAP_COUNT}`,
    );
  }
  for (const port of machine.takenPorts) {
    problems.push(
      `port ${port} on 127.0.0.1 is taken and ${demand.ports.get(port)} is to publish it: stop what uses it, or change hostPorts in environments/${demand.environment}.ts`,
    );
  }
  return problems;
}

/** What the synthesized containers ask for. */
export function demandOf(environment: string, containers: readonly SynthesizedResource[]): Demand {
  const ports = new Map<number, string>();
  let memoryReservationMiB = 0;
  for (const { body } of containers) {
    memoryReservationMiB += body.memory_reservation as number;
    for (const { external } of (body.ports ?? []) as { external: number }[]) {
      ports.set(external, body.name as string);
    }
  }
  return { environment, memoryReservationMiB, ports };
}

/** Looks at the machine; without a demand only at the tools. */
export async function inspectMachine(demand?: Demand): Promise<Machine> {
  const info = await tryDocker("info", "--format", "{{json .}}");
  const engine = parseEngine(info.output);
  const local = isLocalEngine() ? demand : undefined;
  return {
    nodeVersion: process.versions.node,
    terraform: detectTerraform(),
    forcedTerraform: process.env.TERRAFORM_BINARY_NAME,
    engineError: engine
      ? undefined
      : (lastLine(info.output) ?? "the docker command is not installed"),
    engineMemoryMiB: engine && Math.floor(engine.MemTotal / 1024 / 1024),
    maxMapCount: local && readMaxMapCount(engine?.MemTotal),
    takenPorts: local ? await takenPorts(local) : [],
  };
}

function parseEngine(output: string): { MemTotal: number } | undefined {
  try {
    const engine = JSON.parse(output);
    return engine.MemTotal ? engine : undefined;
  } catch {
    return undefined;
  }
}

function isLocalEngine(): boolean {
  const host = process.env.DOCKER_HOST;
  return !host || host.startsWith("unix:") || host.startsWith("npipe:");
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

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").pop() || undefined;
}
