import coerce from "semver/functions/coerce";
import lt from "semver/functions/lt";
import { type Environment, isSecured } from "../../environments";
import { clusterOf, containersOf } from "../synthesis/container";
import { fileOf } from "../synthesis/environment";
import type { SynthesizedResource } from "../synthesis/resources";
import type { TerraformBinary } from "../terraform/binary";
import { describeMissingTerraform, OLDEST_TERRAFORM } from "../terraform/install";

/** The requirements of the platform on a machine. */
export interface Requirements {
  readonly environment: string;
  /** Sum of the memory reservations of all containers. */
  readonly memoryReservationMiB: number;
  /** Ports on 127.0.0.1, each with the container that publishes it. */
  readonly ports: ReadonlyMap<number, string>;
  /** References of all images. */
  readonly images: readonly string[];
  /** Whether containers raise their limits of open files and locked memory. */
  readonly raisesLimits: boolean;
  /** Whether nodes of OpenSearch run there. */
  readonly hasOpenSearch: boolean;
  /** Whether its services have certificates, which a wrong clock makes invalid. */
  readonly isSecured: boolean;
  /** Whether the overlay networks encrypt the traffic between machines. */
  readonly encrypted?: boolean;
  /** Whether a file beside the Terraform state locks it. */
  readonly locksByFile?: boolean;
}

/** Facts about a machine and its Docker engine. A property is undefined if a remote engine does not report it. */
export interface MachineFacts {
  readonly nodeVersion: string;
  readonly terraform?: TerraformBinary;
  /** Value of TERRAFORM_BINARY_NAME. */
  readonly forcedTerraform?: string;
  /** Why this machine cannot reach the registry that Terraform downloads the provider from. */
  readonly providerError?: string;
  readonly engine?: EngineFacts;
  /** Why the engine does not answer. */
  readonly engineError?: string;
  /** The engine's role in the Swarm, if the environment has several machines. */
  readonly swarm?: "manager" | "worker" | "none";
  /** ID of its Swarm. Only managers know it. */
  readonly swarmId?: string;
  /** The other machines, the addresses that it cannot reach, and why the check did not run. */
  readonly reach?: {
    readonly others: readonly string[];
    readonly missed: readonly string[];
    readonly unknown?: string;
  };
  /** The engine's address, if the environment declares it. */
  readonly engineAddress?: string;
  /** The engine's address, if it is reached over a network without TLS. */
  readonly plaintextAddress?: string;
  /** The engine's address, if its Docker context does not verify its certificate. */
  readonly unverifiedAddress?: string;
  /** Images that the engine does not have and whose registry does not answer this machine. */
  readonly missingImages?: readonly string[];
  readonly maxMapCount?: number;
  /** Hard limits of the engine's process. */
  readonly openFiles?: number;
  readonly lockedMemoryMiB?: number;
  /** Required ports that something other than the platform's containers uses. */
  readonly takenPorts: readonly number[];
  /** The number of required ports that the platform's containers already publish. */
  readonly ownPorts?: number;
  /** Stacks whose local state is locked. */
  readonly locks?: readonly StateLock[];
}

export interface EngineFacts {
  /** The same under every address of the engine. */
  readonly id?: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly kernel?: string;
  readonly memoryMiB: number;
  /** How far its clock is ahead of this machine's. */
  readonly clockAheadSeconds: number;
  /** Its security options, such as `rootless`, `selinux` or `userns`. */
  readonly securityOptions?: readonly string[];
  /** Whether it enforces memory limits, and limits of memory and swap together. */
  readonly limits?: { readonly memory: boolean; readonly swap: boolean };
  /** Free space on the disk of its images and volumes; undefined if neither this machine nor a container told it. */
  readonly freeDiskMiB?: number;
  /** Size of that disk. */
  readonly diskMiB?: number;
}

export interface StateLock {
  readonly file: string;
  readonly who: string;
  readonly since: string;
}

/** One prerequisite: what was found, and the problem with its remedy. */
export interface Check {
  readonly name: string;
  readonly found: string;
  readonly problem?: string;
  /** What may fail, if only the deploy can tell. */
  readonly warning?: string;
}

/** OpenSearch's bootstrap checks, https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/ */
const MAX_MAP_COUNT = 262144;
const OPEN_FILES = 65536;
/** The first version that can require() ES modules. */
const OLDEST_NODE = "20.19";
/** Debian 12's Docker: the first with the `docker events` and networks that the platform uses. */
const OLDEST_API = "1.41";
/** For the images and the first data in the volumes. */
const DISK_MIB = 10 * 1024;
/**
 * OpenSearch's default of cluster.routing.allocation.disk.watermark.low,
 * https://docs.opensearch.org/latest/install-and-configure/configuring-opensearch/cluster-settings/
 */
const LOW_WATERMARK_PERCENT = 85;
/** The first Terraform and OpenTofu whose S3 backend has `use_lockfile`. */
const OLDEST_WITH_LOCK_FILE = "1.10.0";
/** Harmless up to here, since new certificates are backdated by an hour. */
const CLOCK_SECONDS = 300;

/** The facts about a machine and its requirements; its name if there are several machines. */
export interface Inspection {
  readonly name?: string;
  readonly machine: MachineFacts;
  readonly requirements?: Requirements;
}

/** Checks of the machine that deploys, wherever the Docker engines are. */
const TOOL_CHECKS = ["Node", "Terraform", "provider", "state lock"];

/** Checks every prerequisite on all machines, and those of the machine that deploys once. */
export function checksOf(inspections: readonly Inspection[]): Check[] {
  return inspections.flatMap((inspection, i) => {
    const { name, machine, requirements } = inspection;
    const checks = diagnose(machine, requirements)
      .filter((check) => i === 0 || !TOOL_CHECKS.includes(check.name))
      .map((check) =>
        name === undefined || TOOL_CHECKS.includes(check.name)
          ? check
          : {
              ...check,
              name: `${check.name} (${name})`,
              problem: check.problem && `machine ${name}: ${check.problem}`,
              warning: check.warning && `machine ${name}: ${check.warning}`,
            },
      );
    return [...checks, ...checkAgainst(inspections.slice(0, i), inspection)];
  });
}

/** Checks that a machine has another Docker engine than the machines before it, and the same Swarm. */
function checkAgainst(
  others: readonly Inspection[],
  { name, machine: { engine, swarmId } }: Inspection,
): Check[] {
  const same = others.find(({ machine }) => engine?.id && machine.engine?.id === engine.id);
  const elsewhere = others.find(
    ({ machine }) => swarmId && machine.swarmId && machine.swarmId !== swarmId,
  );
  return [
    ...(same
      ? [
          {
            name: `separate engine (${name})`,
            found: `same as ${same.name}`,
            problem: `machines ${same.name} and ${name} are the same Docker engine: give each machine its own, since replicas on one engine are lost together`,
          },
        ]
      : []),
    ...(elsewhere
      ? [
          {
            name: `same Swarm (${name})`,
            found: `different from ${elsewhere.name}`,
            problem: `machine ${name} is in a different Swarm than machine ${elsewhere.name}: run docker swarm leave on machine ${name}, then npm run swarm`,
          },
        ]
      : []),
  ];
}

/** Returns every problem that fails a deploy, with its remedy; without requirements only those of the tools and the engines. */
export function findProblems(inspections: readonly Inspection[]): string[] {
  return checksOf(inspections).flatMap(({ problem }) => problem ?? []);
}

/** Returns the warnings: what may fail although no check did. */
export function findWarnings(inspections: readonly Inspection[]): string[] {
  return checksOf(inspections).flatMap(({ warning }) => warning ?? []);
}

/** Checks every prerequisite of a machine; without requirements only the tools, the engine and the Swarm. */
function diagnose(machine: MachineFacts, requirements?: Requirements): Check[] {
  const checks = [
    checkNode(machine),
    checkTerraform(machine, requirements),
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
      ? `Node.js ${nodeVersion} is too old: install ${OLDEST_NODE} or newer from your distribution or nodejs.org`
      : undefined,
  };
}

function checkTerraform(
  { terraform, forcedTerraform }: MachineFacts,
  requirements?: Requirements,
): Check {
  const name = "Terraform";
  if (!terraform) {
    return {
      name,
      found: "none",
      problem: forcedTerraform
        ? `TERRAFORM_BINARY_NAME is "${forcedTerraform}", which is not Terraform or OpenTofu: correct it, or unset it to use the one on the PATH`
        : describeMissingTerraform(),
    };
  }
  const { product, version, command } = terraform;
  return {
    name,
    found: `${product} ${version}`,
    problem: isOlder(version, OLDEST_TERRAFORM)
      ? `${product} ${version} (${command}) is too old: upgrade to ${OLDEST_TERRAFORM} or newer`
      : requirements?.locksByFile && isOlder(version, OLDEST_WITH_LOCK_FILE)
        ? `${product} ${version} (${command}) cannot lock the state of environment "${requirements.environment}", which state.kind "s3" needs: upgrade to ${OLDEST_WITH_LOCK_FILE} or newer, or choose another backend in ${fileOf(requirements.environment)}`
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
              ? "the Docker engine is not in a Swarm, which the overlay networks need: run npm run swarm"
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
        found: "unknown",
        problem: `cannot check whether it reaches the other machines, because the container for the check did not run: ${unknown}`,
      },
    ];
  }
  const encryption = requirements?.encrypted
    ? ", and IP protocol 50 (ESP) for networks.encrypted, which every kernel has to support (modprobe esp4)"
    : "";
  return [
    {
      name: "other machines",
      found:
        missed.length === 0
          ? `reaches ${others.join(", ")}`
          : `${missed.length} failed connection${missed.length === 1 ? "" : "s"}`,
      problem:
        missed.length > 0
          ? `cannot reach ${missed.join(", ")}: allow ports 2377 (TCP), 7946 (TCP and UDP) and 4789 (UDP) between the machines in every firewall${encryption}`
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
      : "not checked",
    problem:
      engine && isOlder(engine.apiVersion, OLDEST_API)
        ? `the Docker engine's API ${engine.apiVersion} is too old: upgrade Docker to 20.10 or newer (API ${OLDEST_API})`
        : undefined,
  };
}

/** The engine error if Podman provides the docker command. */
export const PODMAN = "the docker command is Podman's";

function remedyFor(engineError: string, engineAddress?: string): string {
  if (engineError === PODMAN) {
    return "remove podman-docker, and install Docker Engine with its docker CLI (https://docs.docker.com/engine/install/)";
  }
  if (/permission denied/i.test(engineError)) {
    return 'your user may not use its socket: run sudo usermod -aG docker "$USER", then log in again (members of that group are effectively root)';
  }
  return `start Docker${engineAddress ? " there, or correct its engine in machines" : ", or set DOCKER_HOST to an engine"}`;
}

function checkRequirements(machine: MachineFacts, requirements: Requirements): Check[] {
  const { engine, providerError, missingImages, maxMapCount, openFiles, locks } = machine;
  const memoryMiB = engine?.memoryMiB;
  const unknown = "not reported by this engine";
  return [
    {
      name: "provider",
      found: providerError === undefined ? "available" : "not reachable from here",
      warning:
        providerError &&
        `Terraform may fail to download the provider kreuzwerker/docker: ${providerError}; if it does, allow registry.terraform.io, set HTTPS_PROXY, or configure a mirror in the file that TF_CLI_CONFIG_FILE names`,
    },
    {
      name: "images",
      found: missingImages?.length
        ? `${missingImages.length} of ${requirements.images.length} not available from here`
        : `${requirements.images.length}, all available`,
      warning: missingImages?.length
        ? `the Docker engine has no ${missingImages.join(", ")}, and the registry does not answer this machine: run docker pull ${missingImages[0]} to check whether the engine reaches it`
        : undefined,
    },
    {
      name: "memory",
      found: memoryMiB === undefined ? unknown : `${memoryMiB} MiB`,
      problem:
        memoryMiB !== undefined && memoryMiB < requirements.memoryReservationMiB
          ? `the Docker engine has ${memoryMiB} MiB of memory, but the containers of environment "${requirements.environment}" reserve ${requirements.memoryReservationMiB} MiB: give it more memory, or lower memoryScale or the number of nodes in ${fileOf(requirements.environment)}`
          : undefined,
    },
    checkLimits(engine),
    ...checkConnection(machine, requirements),
    checkDisk(engine, requirements),
    {
      name: "vm.max_map_count",
      found: maxMapCount === undefined ? unknown : String(maxMapCount),
      problem:
        maxMapCount !== undefined && maxMapCount < MAX_MAP_COUNT
          ? `vm.max_map_count is ${maxMapCount}: OpenSearch needs at least ${MAX_MAP_COUNT}; run sudo sysctl -w vm.max_map_count=${MAX_MAP_COUNT}`
          : undefined,
    },
    {
      name: "open files",
      found: openFiles === undefined ? unknown : String(openFiles),
      problem:
        openFiles !== undefined && requirements.raisesLimits && openFiles < OPEN_FILES
          ? `the Docker engine may open ${openFiles} files, but OpenSearch asks for ${OPEN_FILES}: raise LimitNOFILE of its systemd service, or set raiseUlimits to false in ${fileOf(requirements.environment)}`
          : undefined,
    },
    ...(engine?.securityOptions
      ? checkSecurityOptions(engine.securityOptions, machine, requirements)
      : []),
    // A Swarm has certificates, too.
    ...(engine && (requirements.isSecured || machine.swarm) ? [checkClock(engine)] : []),
    ...checkPorts(machine, requirements),
    ...(locks ?? []).map(({ file, who, since }) => ({
      name: "state lock",
      found: `held by ${who}`,
      problem: `${file} has been locked by ${who} since ${since}: wait for that deploy to end, or end its terraform process`,
    })),
  ];
}

function checkDisk(
  { diskMiB, freeDiskMiB }: Partial<EngineFacts> = {},
  { hasOpenSearch }: Requirements,
): Check {
  const name = "disk";
  if (freeDiskMiB === undefined) {
    return { name, found: "not reported by this engine" };
  }
  const wantedMiB = Math.ceil(((diskMiB ?? 0) * (100 - LOW_WATERMARK_PERCENT)) / 100);
  return {
    name,
    found: `${freeDiskMiB} MiB free${diskMiB === undefined ? "" : ` of ${diskMiB} MiB`}`,
    problem:
      freeDiskMiB < DISK_MIB
        ? `the Docker engine's disk has ${freeDiskMiB} MiB free: images and volumes need ${DISK_MIB} MiB to start with; docker system prune removes unused data`
        : undefined,
    warning:
      hasOpenSearch && freeDiskMiB < wantedMiB
        ? `the Docker engine's disk has ${freeDiskMiB} of ${diskMiB} MiB free: OpenSearch allocates no replicas to a node whose disk is more than ${LOW_WATERMARK_PERCENT} % full, so that indices stay yellow. Free ${wantedMiB - freeDiskMiB} MiB: docker system prune removes unused data; docs/runbooks/DiskWatermark.md shows what indices use`
        : undefined,
  };
}

/** Terraform and docker send keys and passwords through this connection, and anyone on the way could read them. */
function checkConnection(
  { plaintextAddress, unverifiedAddress }: MachineFacts,
  { environment, isSecured }: Requirements,
): Check[] {
  if (unverifiedAddress && isSecured) {
    return [
      {
        name: "connection",
        found: "TLS without verification",
        problem: `the Docker context of ${unverifiedAddress} has skip-tls-verify, and environment "${environment}" is secured: anyone on the way could pose as the Docker engine and get its keys and passwords. Create the context again without skip-tls-verify and with ca=<CA of the engine>, or use ssh://user@host`,
      },
    ];
  }
  return plaintextAddress && isSecured
    ? [
        {
          name: "connection",
          found: "plaintext",
          problem: `the connection to the Docker engine at ${plaintextAddress} has no TLS, and environment "${environment}" is secured: its keys and passwords would cross the network in plaintext. Use ssh://user@host, or tcp://host:2376 with DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH`,
        },
      ]
    : [];
}

function checkLimits(engine: EngineFacts | undefined): Check {
  const { limits, securityOptions } = engine ?? {};
  const missing = [
    ...(limits && !limits.memory ? ["memory"] : []),
    ...(limits && !limits.swap ? ["swap"] : []),
  ];
  const remedy = securityOptions?.includes("rootless")
    ? "have systemd delegate the memory controller to your user (https://docs.docker.com/engine/security/rootless/tips/), on a kernel with cgroup v2 (systemd.unified_cgroup_hierarchy=1)"
    : "boot the kernel with cgroup_enable=memory swapaccount=1 (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub)";
  return {
    name: "memory limits",
    found:
      limits === undefined
        ? "not reported by this engine"
        : missing.length > 0
          ? missing.map((kind) => `no ${kind} limit`).join(", ")
          : "enforced",
    problem:
      missing.length > 0
        ? `the Docker engine enforces ${missing.map((kind) => `no ${kind} limit`).join(" and ")}, so one container can use up the ${missing.join(" and ")} of all: ${remedy}`
        : undefined,
  };
}

/** The security options that affect the platform, as users know them. */
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
            ? "the Docker engine remaps the users of containers (userns-remap), so the monitoring containers cannot use its socket: remove userns-remap from its daemon.json"
            : locks && lockedMemoryMiB !== undefined && Number.isFinite(lockedMemoryMiB)
              ? `the Docker engine is rootless and may lock ${lockedMemoryMiB} MiB of memory, but OpenSearch locks all of its own: ${raise}`
              : undefined,
          warning:
            locks && lockedMemoryMiB === undefined
              ? `the Docker engine is rootless and may not be allowed to lock all of OpenSearch's memory: if a node fails with "error setting rlimit", ${raise}`
              : undefined,
        },
      ];
}

function checkClock({ clockAheadSeconds: ahead }: EngineFacts): Check {
  const apart = `${Math.abs(ahead)} s ${ahead < 0 ? "behind" : "ahead of"} this machine's`;
  return {
    name: "clock",
    found: ahead === 0 ? "same as this machine's" : apart,
    problem:
      Math.abs(ahead) > CLOCK_SECONDS
        ? `the Docker engine's clock is ${apart}, so certificates are refused as not valid: synchronize both clocks with NTP`
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
    return [{ name: "ports", found: parts.join(", ") || "none needed" }];
  }
  return takenPorts.map((port) => ({
    name: `port ${port}`,
    found: "in use",
    problem: `port ${port} on 127.0.0.1 is already in use, but ${ports.get(port)} publishes it: stop the process that uses it, or change hostPorts in ${fileOf(environment)}`,
  }));
}

/** Returns the requirements of the synthesized resources. */
export function requirementsOf(
  environment: Environment,
  resources: readonly SynthesizedResource[],
): Requirements {
  const { name, openSearch, networks, state } = environment;
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
    hasOpenSearch: containersOf(resources).some((body) => clusterOf(body) === "opensearch"),
    isSecured: isSecured(environment),
    encrypted: networks.encrypted,
    locksByFile: state?.kind === "s3",
  };
}

/** Compares versions of two or three numbers. Anything that is not a version counts as the oldest. */
function isOlder(version: string, than: string): boolean {
  return lt(coerce(version) ?? "0.0.0", coerce(than) ?? "0.0.0");
}
