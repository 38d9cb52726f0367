import coerce from "semver/functions/coerce";
import lt from "semver/functions/lt";
import { type Environment, isSecured } from "../../environments";
import { containersOf } from "../synthesis/container";
import { fileOf } from "../synthesis/environment";
import type { SynthesizedResource } from "../synthesis/resources";
import { OLDEST_TERRAFORM, type TerraformBinary } from "../terraform/binary";

/** What the platform asks of a machine. */
export interface Requirements {
  readonly environment: string;
  /** Sum of what all containers reserve. */
  readonly memoryReservationMiB: number;
  /** Ports on 127.0.0.1 by the container that publishes them. */
  readonly ports: ReadonlyMap<number, string>;
  /** References of all images. */
  readonly images: readonly string[];
  /** Whether containers raise their limits of open files and locked memory. */
  readonly raisesLimits: boolean;
  /** Whether its services have certificates, which are good between two points in time. */
  readonly isSecured: boolean;
  /** Whether what crosses between machines is encrypted by the networks. */
  readonly encrypted?: boolean;
}

/** What was found out about the machine and its engine. What a remote engine does not tell is undefined. */
export interface MachineFacts {
  readonly nodeVersion: string;
  readonly terraform?: TerraformBinary;
  /** Value of TERRAFORM_BINARY_NAME. */
  readonly forcedTerraform?: string;
  /** Why this machine does not find the provider where Terraform would get it, when it does not. */
  readonly providerError?: string;
  readonly engine?: EngineFacts;
  /** Why the engine does not answer, when it does not. */
  readonly engineError?: string;
  /** What the engine is in a Swarm, where the environment has several machines. */
  readonly swarm?: "manager" | "worker" | "none";
  /** The Swarm that it is a manager of. */
  readonly swarmId?: string;
  /** The other machines, which of them it does not reach at what, and why that could not be found out; where they were asked. */
  readonly reach?: {
    readonly others: readonly string[];
    readonly missed: readonly string[];
    readonly unknown?: string;
  };
  /** Where it is, if the environment says so. */
  readonly engineAddress?: string;
  /** Images that the engine does not have, and whose registry does not answer this machine. */
  readonly missingImages?: readonly string[];
  readonly maxMapCount?: number;
  /** Hard limits of the engine's process. */
  readonly openFiles?: number;
  readonly lockedMemoryMiB?: number;
  /** Ports of the requirements that something other than the platform's own containers uses. */
  readonly takenPorts: readonly number[];
  /** How many ports of the requirements the platform's own containers publish already. */
  readonly ownPorts?: number;
  /** Stacks whose local state is locked. */
  readonly locks?: readonly StateLock[];
}

export interface EngineFacts {
  /** By what one is known from another, whatever its address. */
  readonly id?: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly kernel?: string;
  readonly memoryMiB: number;
  /** How much later its clock is than this machine's. */
  readonly clockAheadSeconds: number;
  /** What sets it apart from others on its host, as it calls that: `rootless`, `selinux`, `userns` among others. */
  readonly securityOptions?: readonly string[];
  /** Whether it enforces limits of memory, and of memory and swap together. */
  readonly limits?: { readonly memory: boolean; readonly swap: boolean };
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
  /** What may fail, where only the deploy can find out. */
  readonly warning?: string;
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
/** Certificates are made an hour old: this much does no harm yet. */
const CLOCK_SECONDS = 300;

/** What was found of a machine, and what is asked of it; its name where there are several. */
export interface Inspection {
  readonly name?: string;
  readonly machine: MachineFacts;
  readonly requirements?: Requirements;
}

/** What is of the machine that deploys, wherever the engines are. */
const OF_TOOLS = ["Node", "Terraform", "provider", "state lock"];

/** Every prerequisite of all machines; those of the machine that deploys once. */
export function checksOf(inspections: readonly Inspection[]): Check[] {
  return inspections.flatMap(({ name, machine, requirements }, i) =>
    [...diagnose(machine, requirements), ...checkApart(machine, inspections.slice(0, i))]
      .filter((check) => i === 0 || !OF_TOOLS.includes(check.name))
      .map((check) =>
        name === undefined || OF_TOOLS.includes(check.name)
          ? check
          : {
              ...check,
              name: `${check.name} (${name})`,
              problem: check.problem && `machine ${name}: ${check.problem}`,
              warning: check.warning && `machine ${name}: ${check.warning}`,
            },
      ),
  );
}

/** What is wrong with a machine because of one before it. */
function checkApart({ engine, swarmId }: MachineFacts, others: readonly Inspection[]): Check[] {
  const same = others.find(({ machine }) => engine?.id && machine.engine?.id === engine.id);
  const elsewhere = others.find(
    ({ machine }) => swarmId && machine.swarmId && machine.swarmId !== swarmId,
  );
  return [
    ...(same
      ? [
          {
            name: "engine of its own",
            found: `that of ${same.name}`,
            problem: `its engine is that of machine ${same.name} under another address: each machine has its own, or what is copied to both is lost with one`,
          },
        ]
      : []),
    ...(elsewhere
      ? [
          {
            name: "same Swarm",
            found: `another than ${elsewhere.name}`,
            problem: `it is in another Docker Swarm than machine ${elsewhere.name}: docker swarm leave takes it out of that, then npm run swarm takes it in`,
          },
        ]
      : []),
  ];
}

/** Every reason why a run would fail, each with its remedy; without requirements only what is wrong with the tools and the engines. */
export function findProblems(inspections: readonly Inspection[]): string[] {
  return checksOf(inspections).flatMap(({ problem }) => problem ?? []);
}

/** What may fail although nothing is known to be wrong. */
export function findWarnings(inspections: readonly Inspection[]): string[] {
  return checksOf(inspections).flatMap(({ warning }) => warning ?? []);
}

/** Every prerequisite; without requirements only the tools. */
function diagnose(machine: MachineFacts, requirements?: Requirements): Check[] {
  const checks = [
    checkNode(machine),
    checkTerraform(machine),
    checkEngine(machine),
    ...checkSwarm(machine),
    ...checkReach(machine, requirements),
  ];
  return requirements ? [...checks, ...checkRequirements(machine, requirements)] : checks;
}

function checkNode({ nodeVersion }: MachineFacts): Check {
  const old = isOlder(nodeVersion, OLDEST_NODE);
  return {
    name: "Node",
    found: nodeVersion,
    problem: old
      ? `Node is ${nodeVersion}: ${OLDEST_NODE} or newer is needed; install it from your distribution or nodejs.org`
      : undefined,
  };
}

function checkTerraform({ terraform, forcedTerraform }: MachineFacts): Check {
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

function checkSwarm({ swarm }: MachineFacts): Check[] {
  return swarm === undefined
    ? []
    : [
        {
          name: "Swarm",
          found: swarm,
          problem:
            swarm === "none"
              ? "it is in no Docker Swarm, which the networks over all machines are made of: npm run swarm"
              : undefined,
        },
      ];
}

function checkReach({ reach }: MachineFacts, requirements?: Requirements): Check[] {
  if (!reach) {
    return [];
  }
  const { others, missed, unknown } = reach;
  if (unknown !== undefined) {
    return [
      {
        name: "other machines",
        found: "not known",
        problem: `whether it reaches the others is not known, since the container that was to find out did not run: ${unknown}`,
      },
    ];
  }
  const encryption = requirements?.encrypted
    ? ", and for networks.encrypted IP protocol 50, with ESP in every kernel (modprobe esp4)"
    : "";
  return [
    {
      name: "other machines",
      found: missed.length === 0 ? `reaches ${others.join(", ")}` : `misses ${missed.length}`,
      problem:
        missed.length > 0
          ? `it does not reach ${missed.join(", ")}: firewalls have to let the machines in at one another, at 2377 (TCP), 7946 (TCP and UDP) and 4789 (UDP)${encryption}`
          : undefined,
    },
  ];
}

function checkEngine({ engine, engineAddress, engineError }: MachineFacts): Check {
  const name = "Docker engine";
  if (engineError !== undefined) {
    return {
      name,
      found: "none",
      problem: `no Docker engine answers${engineAddress ? ` at ${engineAddress}` : ""}: ${engineError}; ${remedyFor(engineError, engineAddress)}`,
    };
  }
  return {
    name,
    found: engine
      ? [
          engine.version,
          `API ${engine.apiVersion}`,
          ...(engine.kernel ? [`Linux ${engine.kernel}`] : []),
        ].join(", ")
      : "not looked at",
    problem:
      engine && isOlder(engine.apiVersion, OLDEST_API)
        ? `the engine's API is ${engine.apiVersion}: ${OLDEST_API} or newer is needed (Docker 20.10); upgrade Docker`
        : undefined,
  };
}

/** Of podman in docker's place. */
export const PODMAN = "the docker command is podman's";

function remedyFor(engineError: string, engineAddress?: string): string {
  if (engineError === PODMAN) {
    return "remove podman-docker, and install Docker Engine with its own docker command (https://docs.docker.com/engine/install/)";
  }
  if (/permission denied/i.test(engineError)) {
    return 'it runs, and your user may not use its socket: sudo usermod -aG docker "$USER", then log in again (who is in that group is as good as root)';
  }
  return `start Docker, or ${engineAddress ? "correct engine in machines" : "point DOCKER_HOST to an engine"}`;
}

function checkRequirements(machine: MachineFacts, requirements: Requirements): Check[] {
  const { engine, providerError, missingImages, maxMapCount, openFiles, locks } = machine;
  const memoryMiB = engine?.memoryMiB;
  const freeDiskMiB = engine?.freeDiskMiB;
  const unknown = "not told by this engine";
  return [
    {
      name: "provider",
      found: providerError === undefined ? "can be had" : "not found from here",
      warning:
        providerError &&
        `Terraform may not get the provider kreuzwerker/docker: ${providerError}; where it fails, allow registry.terraform.io, set HTTPS_PROXY, or name a mirror in the file of TF_CLI_CONFIG_FILE`,
    },
    {
      name: "images",
      found: missingImages?.length
        ? `${missingImages.length} of ${requirements.images.length} not found from here`
        : `${requirements.images.length}, all can be had`,
      warning: missingImages?.length
        ? `the engine has no ${missingImages.join(", ")} and the registry does not answer this machine: docker pull ${missingImages[0]} says whether the engine gets them`
        : undefined,
    },
    {
      name: "memory",
      found: memoryMiB === undefined ? unknown : `${memoryMiB} MiB`,
      problem:
        memoryMiB !== undefined && memoryMiB < requirements.memoryReservationMiB
          ? `the engine has ${memoryMiB} MiB of memory and the containers of environment "${requirements.environment}" reserve ${requirements.memoryReservationMiB} MiB: give the engine more, or lower memoryScale or the number of nodes in ${fileOf(requirements.environment)}`
          : undefined,
    },
    checkLimits(engine),
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
        openFiles !== undefined && requirements.raisesLimits && openFiles < OPEN_FILES
          ? `the engine may open ${openFiles} files and OpenSearch asks for ${OPEN_FILES}: raise LimitNOFILE of the engine's service, or set raiseUlimits to false in ${fileOf(requirements.environment)}`
          : undefined,
    },
    ...(engine?.securityOptions
      ? checkSecurityOptions(engine.securityOptions, machine, requirements)
      : []),
    // A Swarm has certificates too.
    ...(engine && (requirements.isSecured || machine.swarm) ? [checkClock(engine)] : []),
    ...checkPorts(machine, requirements),
    ...(locks ?? []).map(({ file, who, since }) => ({
      name: "state lock",
      found: `held by ${who}`,
      problem: `${file} is locked by ${who} since ${since}: wait until that deploy has ended, or end its terraform process`,
    })),
  ];
}

function checkLimits(engine: EngineFacts | undefined): Check {
  const { limits, securityOptions } = engine ?? {};
  const missing = [
    ...(limits && !limits.memory ? ["of memory"] : []),
    ...(limits && !limits.swap ? ["of swap"] : []),
  ];
  const remedy = securityOptions?.includes("rootless")
    ? "systemd has to delegate the controller memory to your user (https://docs.docker.com/engine/security/rootless/tips/), on a kernel with cgroup v2 (systemd.unified_cgroup_hierarchy=1)"
    : "boot the kernel with cgroup_enable=memory swapaccount=1 (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub)";
  return {
    name: "memory limits",
    found:
      limits === undefined
        ? "not told by this engine"
        : missing.length > 0
          ? `none ${missing.join(", none ")}`
          : "in force",
    problem:
      missing.length > 0
        ? `the engine enforces no limit ${missing.join(" and none ")}, so that containers take each other's: ${remedy}`
        : undefined,
  };
}

/** Those that the platform has to be told of, in words. */
const NOTABLE: Readonly<Record<string, string>> = {
  rootless: "rootless",
  selinux: "SELinux",
  userns: "user namespaces",
};

function checkSecurityOptions(
  options: readonly string[],
  { lockedMemoryMiB }: MachineFacts,
  { environment, raisesLimits }: Requirements,
): Check[] {
  const found = options.flatMap((option) => NOTABLE[option] ?? []);
  const raise = `set raiseUlimits to false in ${fileOf(environment)}, or raise LimitMEMLOCK of user@.service to infinity`;
  const locks = options.includes("rootless") && raisesLimits;
  return found.length === 0
    ? []
    : [
        {
          name: "security options",
          found: found.join(", "),
          problem: options.includes("userns")
            ? "the engine maps the users of containers (userns-remap), so that those who watch the others may not use its socket: take userns-remap out of its daemon.json"
            : locks && lockedMemoryMiB !== undefined && Number.isFinite(lockedMemoryMiB)
              ? `the engine is rootless and may lock ${lockedMemoryMiB} MiB of memory, and OpenSearch asks for all of its own: ${raise}`
              : undefined,
          warning:
            locks && lockedMemoryMiB === undefined
              ? `the engine is rootless, which may lock little memory, and OpenSearch asks for all of its own; where a node fails with "error setting rlimit": ${raise}`
              : undefined,
        },
      ];
}

function checkClock({ clockAheadSeconds: ahead }: EngineFacts): Check {
  const apart = `${Math.abs(ahead)} s ${ahead < 0 ? "behind" : "ahead of"} this machine's`;
  return {
    name: "clock",
    found: ahead === 0 ? "as this machine's" : apart,
    problem:
      Math.abs(ahead) > CLOCK_SECONDS
        ? `the engine's clock is ${apart}, so that certificates are refused as not valid: set both clocks, best by NTP`
        : undefined,
  };
}

function checkPorts(
  { takenPorts, ownPorts = 0 }: MachineFacts,
  { ports, environment }: Requirements,
): Check[] {
  if (takenPorts.length === 0) {
    const free = ports.size - ownPorts;
    const parts = [
      ...(ownPorts > 0 ? [`${ownPorts} published by this platform`] : []),
      ...(free > 0 ? [`${free} free`] : []),
    ];
    return [{ name: "ports", found: parts.join(", ") || "none wanted" }];
  }
  return takenPorts.map((port) => ({
    name: `port ${port}`,
    found: "taken",
    problem: `port ${port} on 127.0.0.1 is taken and ${ports.get(port)} is to publish it: stop what uses it, or change hostPorts in ${fileOf(environment)}`,
  }));
}

/** What the synthesized containers ask for. */
export function requirementsOf(
  environment: Environment,
  resources: readonly SynthesizedResource[],
): Requirements {
  const { name, openSearch, networks } = environment;
  const images = resources.filter(({ type }) => type === "docker_image");
  const ports = new Map<number, string>();
  let memoryReservationMiB = 0;
  for (const container of containersOf(resources)) {
    memoryReservationMiB += container.memory_reservation;
    for (const { external } of container.ports ?? []) {
      ports.set(external, container.name);
    }
  }
  return {
    environment: name,
    memoryReservationMiB,
    ports,
    images: [...new Set(images.map(({ body }) => body.name as string))],
    raisesLimits: openSearch.raiseUlimits,
    isSecured: isSecured(environment),
    encrypted: networks.encrypted,
  };
}

/** Versions of Docker's API have two numbers. What is no version is older than all. */
function isOlder(version: string, than: string): boolean {
  return lt(coerce(version) ?? "0.0.0", coerce(than) ?? "0.0.0");
}
