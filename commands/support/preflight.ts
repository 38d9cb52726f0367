import type { Environment } from "../../environments";
import type { SynthesizedResource } from "./cdktf";
import { OLDEST_TERRAFORM, type TerraformBinary } from "./terraform";

/** What the platform asks of a machine. */
export interface Demand {
  readonly environment: string;
  /** Sum of what all containers reserve. */
  readonly memoryReservationMiB: number;
  /** Ports on 127.0.0.1 by the container that publishes them. */
  readonly ports: ReadonlyMap<number, string>;
  /** References of all images. */
  readonly images: readonly string[];
  /** Whether containers raise their limit of open files. */
  readonly raisesOpenFiles: boolean;
}

/** What was found out about the machine and its engine. What a remote engine does not tell is undefined. */
export interface Machine {
  readonly nodeVersion: string;
  readonly terraform?: TerraformBinary;
  /** Value of TERRAFORM_BINARY_NAME. */
  readonly forcedTerraform?: string;
  /** Why Terraform cannot get the provider, when it cannot. */
  readonly providerError?: string;
  readonly engine?: Engine;
  /** Why the engine does not answer, when it does not. */
  readonly engineError?: string;
  /** Images that the engine does not have and cannot get. */
  readonly missingImages?: readonly string[];
  readonly maxMapCount?: number;
  /** Hard limit of open files of the engine's process. */
  readonly openFiles?: number;
  /** Ports of the demand that something other than the platform's own containers uses. */
  readonly takenPorts: readonly number[];
  /** Stacks whose local state is locked. */
  readonly locks?: readonly StateLock[];
}

export interface Engine {
  readonly version: string;
  readonly apiVersion: string;
  readonly memoryMiB: number;
  /** Free on the disk of its images and volumes; undefined where it is not on this machine. */
  readonly freeDiskMiB?: number;
}

export interface StateLock {
  readonly file: string;
  readonly who: string;
  readonly since: string;
}

/** One prerequisite: what was found, and what is wrong with it and how to mend it. */
export interface Check {
  readonly name: string;
  readonly found: string;
  readonly problem?: string;
}

/** OpenSearch's bootstrap checks, https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/ */
const MAX_MAP_COUNT = 262144;
const OPEN_FILES = 65536;
/** The first that loads ES modules into CommonJS. */
const OLDEST_NODE = "20.19";
/** The first engine whose `docker events` and networks are as the platform uses them: Debian 12's. */
const OLDEST_API = "1.41";
/** The images, and room for the volumes to begin with. */
const DISK_MIB = 10 * 1024;

/** Every reason why a run would fail, each with its remedy; without a demand only what is wrong with the tools. */
export function findProblems(machine: Machine, demand?: Demand): string[] {
  return diagnose(machine, demand).flatMap(({ problem }) => problem ?? []);
}

/** Every prerequisite; without a demand only the tools. */
export function diagnose(machine: Machine, demand?: Demand): Check[] {
  const checks = [checkNode(machine), checkTerraform(machine), checkEngine(machine)];
  return demand ? [...checks, ...checkDemand(machine, demand)] : checks;
}

function checkNode({ nodeVersion }: Machine): Check {
  const old = isOlder(nodeVersion, OLDEST_NODE);
  return {
    name: "Node",
    found: nodeVersion,
    problem: old
      ? `Node is ${nodeVersion}: ${OLDEST_NODE} or newer is needed; install it from your distribution or nodejs.org`
      : undefined,
  };
}

function checkTerraform({ terraform, forcedTerraform }: Machine): Check {
  const name = "Terraform";
  if (!terraform) {
    return {
      name,
      found: "none",
      problem: forcedTerraform
        ? `TERRAFORM_BINARY_NAME is "${forcedTerraform}" and that is no Terraform or OpenTofu: correct it, or unset it to take what is on the PATH`
        : `neither terraform nor tofu is on the PATH: install Terraform or OpenTofu ${OLDEST_TERRAFORM} or newer, or name one in TERRAFORM_BINARY_NAME`,
    };
  }
  const { product, version, command } = terraform;
  return {
    name,
    found: `${product} ${version}`,
    problem: isOlder(version, OLDEST_TERRAFORM)
      ? `${product} (${command}) is ${version}: ${OLDEST_TERRAFORM} or newer is needed; upgrade it`
      : undefined,
  };
}

function checkEngine({ engine, engineError }: Machine): Check {
  const name = "Docker engine";
  if (engineError !== undefined) {
    return {
      name,
      found: "none",
      problem: `no Docker engine answers: ${engineError}; start Docker, or point DOCKER_HOST to an engine`,
    };
  }
  return {
    name,
    found: engine ? `${engine.version}, API ${engine.apiVersion}` : "not looked at",
    problem:
      engine && isOlder(engine.apiVersion, OLDEST_API)
        ? `the engine's API is ${engine.apiVersion}: ${OLDEST_API} or newer is needed (Docker 20.10); upgrade Docker`
        : undefined,
  };
}

function checkDemand(machine: Machine, demand: Demand): Check[] {
  const { engine, providerError, missingImages, maxMapCount, openFiles, locks } = machine;
  const memoryMiB = engine?.memoryMiB;
  const freeDiskMiB = engine?.freeDiskMiB;
  const unknown = "not told by this engine";
  return [
    {
      name: "provider",
      found: providerError === undefined ? "can be had" : "cannot be had",
      problem:
        providerError &&
        `Terraform cannot get the provider kreuzwerker/docker: ${providerError}; allow registry.terraform.io, or name a mirror in the file of TF_CLI_CONFIG_FILE`,
    },
    {
      name: "images",
      found: missingImages?.length
        ? `${missingImages.length} of ${demand.images.length} cannot be had`
        : `${demand.images.length}, all can be had`,
      problem: missingImages?.length
        ? `the engine has no ${missingImages.join(", ")} and its registry does not answer; docker pull ${missingImages[0]} says why`
        : undefined,
    },
    {
      name: "memory",
      found: memoryMiB === undefined ? unknown : `${memoryMiB} MiB`,
      problem:
        memoryMiB !== undefined && memoryMiB < demand.memoryReservationMiB
          ? `the engine has ${memoryMiB} MiB of memory and the containers of environment "${demand.environment}" reserve ${demand.memoryReservationMiB} MiB: give the engine more, or lower memoryScale or the number of nodes in environments/${demand.environment}.ts`
          : undefined,
    },
    {
      name: "disk",
      found: freeDiskMiB === undefined ? unknown : `${freeDiskMiB} MiB free`,
      problem:
        freeDiskMiB !== undefined && freeDiskMiB < DISK_MIB
          ? `the engine's disk has ${freeDiskMiB} MiB free: images and volumes need ${DISK_MIB} MiB to begin with; docker system prune removes what nothing uses`
          : undefined,
    },
    {
      name: "vm.max_map_count",
      found: maxMapCount === undefined ? unknown : String(maxMapCount),
      problem:
        maxMapCount !== undefined && maxMapCount < MAX_MAP_COUNT
          ? `vm.max_map_count is ${maxMapCount}: OpenSearch needs at least ${MAX_MAP_COUNT}; sudo sysctl -w vm.max_map_count=${MAX_MAP_COUNT}`
          : undefined,
    },
    {
      name: "open files",
      found: openFiles === undefined ? unknown : String(openFiles),
      problem:
        openFiles !== undefined && demand.raisesOpenFiles && openFiles < OPEN_FILES
          ? `the engine may open ${openFiles} files and OpenSearch asks for ${OPEN_FILES}: raise LimitNOFILE of the engine's service, or set raiseUlimits to false in environments/${demand.environment}.ts`
          : undefined,
    },
    ...checkPorts(machine, demand),
    ...(locks ?? []).map(({ file, who, since }) => ({
      name: "state lock",
      found: `held by ${who}`,
      problem: `${file} is locked by ${who} since ${since}: wait until that deploy has ended, or end its terraform process`,
    })),
  ];
}

function checkPorts({ takenPorts }: Machine, { ports, environment }: Demand): Check[] {
  if (takenPorts.length === 0) {
    return [{ name: "ports", found: ports.size === 0 ? "none wanted" : `${ports.size}, all free` }];
  }
  return takenPorts.map((port) => ({
    name: `port ${port}`,
    found: "taken",
    problem: `port ${port} on 127.0.0.1 is taken and ${ports.get(port)} is to publish it: stop what uses it, or change hostPorts in environments/${environment}.ts`,
  }));
}

/** What the synthesized containers ask for. */
export function demandOf(
  { name, openSearch }: Environment,
  resources: readonly SynthesizedResource[],
): Demand {
  const of = (type: string) => resources.filter((resource) => resource.type === type);
  const ports = new Map<number, string>();
  let memoryReservationMiB = 0;
  for (const { body } of of("docker_container")) {
    memoryReservationMiB += body.memory_reservation as number;
    for (const { external } of (body.ports ?? []) as { external: number }[]) {
      ports.set(external, body.name as string);
    }
  }
  return {
    environment: name,
    memoryReservationMiB,
    ports,
    images: [...new Set(of("docker_image").map(({ body }) => body.name as string))],
    raisesOpenFiles: openSearch.raiseUlimits,
  };
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}
