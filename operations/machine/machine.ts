import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { totalmem } from "node:os";
import { join } from "node:path";
import { readTextFile } from "../../constructs/container/text-file";
import type { Environment } from "../../environments";
import { engineAt, includedMachinesOf } from "../../stacks/placement";
import { askEngine, type Engine, isLocalEngine } from "../engine/docker";
import { PROJECT_ROOT } from "../synthesis/project";
import type { SynthesizedResource } from "../synthesis/resources";
import { refuse } from "../terminal/terminal";
import { detectTerraform, type TerraformBinary } from "../terraform/binary";
import {
  type EngineFacts,
  findProblems,
  findWarnings,
  type Inspection,
  type MachineFacts,
  PODMAN,
  type Requirements,
  requirementsOf,
  type StateLock,
} from "./preflight";

/** The timeout of a request to a registry. */
const PATIENCE_MS = 1500;

/** Inspects this machine and a Docker engine; without requirements only the tools and whether the engine answers. */
async function inspectMachine(
  at: Engine,
  {
    requirements,
    isOneOfSeveral,
  }: { readonly requirements?: Requirements; readonly isOneOfSeveral: boolean },
): Promise<MachineFacts> {
  const isLocal = isLocalEngine(at);
  const inspections = Promise.all([
    askEngine(at, "info", "--format", "{{json .}}"),
    askEngine(at, "version", "--format", "{{.Server.APIVersion}}"),
    requirements && providerError(requirements.environment),
    // With several machines, this one may be none of them.
    requirements && !isOneOfSeveral && isLocal && requirements.ports.size > 0
      ? inspectPorts(requirements, at, isFree)
      : { taken: [], own: 0 },
    requirements && unobtainableImages(requirements.images, at),
  ]);
  // `terraform version` is slow and synchronous, so the inspections start first.
  const terraform = detectTerraform();
  const [info, api, provider, ports, missingImages] = await inspections;
  const report = parseReport(info.output);
  const local = requirements !== undefined && isLocal;
  return {
    nodeVersion: process.versions.node,
    terraform,
    forcedTerraform: process.env.TERRAFORM_BINARY_NAME,
    providerError: provider,
    engine: report && (await describeEngine(report, api.output, isLocal)),
    engineAddress: isOneOfSeveral ? at?.host : undefined,
    plaintextAddress: plaintextAddressOf(at),
    unverifiedAddress: at?.tls?.verify === false ? networkAddressOf(at) : undefined,
    swarm: isOneOfSeveral && report ? roleIn(report.Swarm) : undefined,
    swarmId: report?.Swarm?.Cluster?.ID,
    engineError: report ? undefined : errorIn(info.output),
    missingImages: report && missingImages,
    maxMapCount: local ? readMaxMapCount(report?.MemTotal) : undefined,
    ...(local && readLimits()),
    takenPorts: ports.taken,
    ownPorts: ports.own,
    locks: requirements && readLocks(join(PROJECT_ROOT, ".state", requirements.environment)),
  };
}

/** Returns the address of an engine that is reached over a network without TLS. */
function plaintextAddressOf(at: Engine): string | undefined {
  const hasTls = at?.tls !== undefined || Boolean(process.env.DOCKER_TLS_VERIFY);
  return hasTls ? undefined : networkAddressOf(at);
}

/** Returns the address of an engine that is reached over TCP and a network. A loopback address is often the end of a tunnel. */
function networkAddressOf(at: Engine): string | undefined {
  const { protocol, hostname } = URL.canParse(at?.host ?? "") ? new URL(at?.host ?? "") : {};
  const isLoopback = /^(localhost|127\..+|\[::1\])$/.test(hostname ?? "");
  return protocol === "tcp:" && !isLoopback ? at?.host : undefined;
}

/** The part of `docker info` that is used. */
interface EngineReport {
  readonly MemTotal: number;
  readonly ServerVersion: string;
  readonly DockerRootDir: string;
  readonly SystemTime: string;
  readonly ID: string;
  readonly KernelVersion: string;
  readonly MemoryLimit?: boolean;
  readonly SwapLimit?: boolean;
  /** Such as `name=seccomp,profile=default`. */
  readonly SecurityOptions?: readonly string[];
  readonly Swarm: {
    readonly LocalNodeState: string;
    readonly ControlAvailable: boolean;
    /** Only managers report it. */
    readonly Cluster?: { readonly ID: string };
  };
}

function roleIn({ LocalNodeState, ControlAvailable }: EngineReport["Swarm"]) {
  return LocalNodeState === "inactive" ? "none" : ControlAvailable ? "manager" : "worker";
}

function parseReport(output: string): EngineReport | undefined {
  const report = jsonIn(output);
  return report?.MemTotal ? (report as unknown as EngineReport) : undefined;
}

/** Returns why `docker info` gave no report. */
function errorIn(output: string): string {
  const { host, ServerErrors: [error] = [] } = (jsonIn(output) ?? {}) as {
    host?: object;
    ServerErrors?: string[];
  };
  return host ? PODMAN : (error ?? lastLine(output) ?? "the docker command is not installed");
}

/** Parses the JSON of a docker command, which errors may follow. */
function jsonIn(output: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(output.slice(0, output.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
}

async function describeEngine(
  report: EngineReport,
  apiVersion: string,
  isLocal: boolean,
): Promise<EngineFacts> {
  return {
    id: report.ID,
    version: report.ServerVersion,
    apiVersion,
    kernel: report.KernelVersion,
    memoryMiB: Math.floor(report.MemTotal / 1024 / 1024),
    clockAheadSeconds: Math.round((Date.parse(report.SystemTime) - Date.now()) / 1000),
    securityOptions: report.SecurityOptions?.map((option) =>
      option.replace(/^name=([^,]*).*/, "$1"),
    ),
    limits:
      report.MemoryLimit === undefined
        ? undefined
        : { memory: report.MemoryLimit, swap: report.SwapLimit === true },
    ...(isLocal && (await measureDisk(report.DockerRootDir))),
  };
}

async function measureDisk(path: string): Promise<Pick<EngineFacts, "diskMiB" | "freeDiskMiB">> {
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    const inMiB = (count: number) => Math.floor((count * bsize) / 1024 / 1024);
    return { diskMiB: inMiB(blocks), freeDiskMiB: inMiB(bavail) };
  } catch {
    // Docker Desktop keeps it in a virtual machine.
    return {};
  }
}

/** Returns why Terraform may not get the provider. Asks the registry, unless the provider is installed or a mirror is configured. */
async function providerError(environment: string): Promise<string | undefined> {
  const { TF_CLI_CONFIG_FILE: configFile } = process.env;
  const mirrored =
    configFile &&
    existsSync(configFile) &&
    /(filesystem|network)_mirror/.test(readTextFile(configFile, "TF_CLI_CONFIG_FILE"));
  const stack = join(PROJECT_ROOT, "cdktf.out", "stacks", `${environment}-network`);
  if (mirrored || existsSync(join(stack, ".terraform", "providers"))) {
    return undefined;
  }
  return unreachable("https://registry.terraform.io/.well-known/terraform.json");
}

/** Sends a request through HTTPS_PROXY, as Terraform does and Node's own fetch does not. Returns the error, if any. */
async function unreachable(url: string): Promise<string | undefined> {
  const { EnvHttpProxyAgent, fetch } = await import("undici");
  const dispatcher = new EnvHttpProxyAgent();
  try {
    await fetch(url, { method: "HEAD", dispatcher, signal: AbortSignal.timeout(PATIENCE_MS) });
    return undefined;
  } catch (error) {
    const { cause, message } = error as Error;
    return `${new URL(url).host} does not answer (${(cause as Error | undefined)?.message ?? message})`;
  }
}

/** Returns the images that the engine does not have, if their registry does not answer. */
async function unobtainableImages(images: readonly string[], at: Engine): Promise<string[]> {
  // One call, since over SSH each is a connection. It prints the images that exist and fails for the others.
  const { output } = await askEngine(
    at,
    "image",
    "inspect",
    "--format",
    "{{json .RepoTags}}",
    ...images,
  );
  const missing = images.filter((image) => !output.includes(JSON.stringify(image)));
  const error = missing.length > 0 && (await unreachable("https://registry-1.docker.io/v2/"));
  return error ? missing : [];
}

/** Returns the resources that are placed on an engine. */
export type ResourcesAt = (engine: Engine) => readonly SynthesizedResource[];

/** Inspects every machine of an environment; without resources only the tools and the Docker engines. */
export function inspectMachines(
  environment: Environment,
  resourcesAt?: ResourcesAt,
): Promise<Inspection[]> {
  return Promise.all(
    includedMachinesOf(environment).map(async (machine) => {
      const engine = engineAt(environment, machine);
      const requirements = resourcesAt && requirementsOf(environment, resourcesAt(engine));
      return {
        name: machine?.name,
        machine: await inspectMachine(engine, {
          requirements,
          isOneOfSeveral: machine !== undefined,
        }),
        requirements,
      };
    }),
  );
}

/** Throws with the problems of all machines, before Terraform runs. Prints the warnings. */
export async function checkMachines(
  environment: Environment,
  resourcesAt?: ResourcesAt,
): Promise<TerraformBinary> {
  const inspections = await inspectMachines(environment, resourcesAt);
  refuse(findProblems(inspections));
  for (const warning of findWarnings(inspections)) {
    console.warn(`warning: ${warning}`);
  }
  return inspections[0].machine.terraform as TerraformBinary;
}

/** Returns vm.max_map_count; undefined if the engine runs in a virtual machine, which its memory size shows. */
function readMaxMapCount(engineMemory?: number): number | undefined {
  try {
    const onThisKernel =
      engineMemory === undefined || Math.abs(engineMemory - totalmem()) < 64 * 1024 * 1024;
    return onThisKernel ? Number(readFileSync("/proc/sys/vm/max_map_count", "utf8")) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the hard limits of the dockerd process, if it is visible. */
function readLimits(): Pick<MachineFacts, "openFiles" | "lockedMemoryMiB"> {
  try {
    const engine = readdirSync("/proc").find(
      (pid) => /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "dockerd",
    );
    const limits = readFileSync(`/proc/${engine}/limits`, "utf8");
    const hard = (name: string) => {
      const [, value] = new RegExp(`^Max ${name}\\s+\\S+\\s+(\\S+)`, "m").exec(limits) ?? [];
      return value === "unlimited" ? Number.POSITIVE_INFINITY : Number(value);
    };
    return {
      openFiles: hard("open files"),
      lockedMemoryMiB: Math.floor(hard("locked memory") / 1024 / 1024),
    };
  } catch {
    return {};
  }
}

/** Returns the required ports that something else uses, and the number that the platform already publishes. */
export async function inspectPorts(
  requirements: Pick<Requirements, "environment" | "ports">,
  at: Engine,
  isFreePort: (port: number) => boolean | Promise<boolean>,
): Promise<{ taken: number[]; own: number }> {
  // HostConfig, since a restarting container holds its ports before `docker ps` lists them.
  const { output } = await askEngine(
    at,
    ...["container", "inspect", "--format"],
    '{{index .Config.Labels "groundwork.environment"}} {{.State.Running}} {{json .HostConfig.PortBindings}}',
    ...new Set(requirements.ports.values()),
  );
  const published = new Set(
    output
      .split("\n")
      .filter((line) => line.startsWith(`${requirements.environment} true `))
      .flatMap((line) => [...line.matchAll(/"HostPort":"(\d+)"/g)])
      .map(([, port]) => Number(port)),
  );
  const candidates = [...requirements.ports.keys()].filter((port) => !published.has(port));
  const free = await Promise.all(candidates.map(isFreePort));
  return {
    taken: candidates.filter((_, i) => !free[i]),
    own: requirements.ports.size - candidates.length,
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * Returns the local states that a running Terraform has locked. The kernel's lock on the state counts, not Terraform's lock file, which
 * a killed Terraform leaves behind.
 *
 * @internal
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
    // The folder does not exist, this is not Linux, or the lock was just released.
    return [];
  }
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").pop() || undefined;
}
