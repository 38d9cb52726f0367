import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import {
  DOCKER_CLI_IMAGE,
  HAPROXY_IMAGE,
  KAFKA_IMAGE,
  OPENSEARCH_IMAGE,
  PROMETHEUS_IMAGE,
} from "../constructs";
import { shownAddress } from "../constructs/container/address";
import { type Environment, isSecured } from "../environments";
import { currentEngine } from "../operations/engine/context";
import { askEngine, dockerAt, type Engine, tryDockerAt } from "../operations/engine/docker";
import { makeSwarm } from "../operations/swarm/swarm";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { poll } from "../operations/terminal/poll";
import { CommandError } from "../operations/terminal/terminal";
import { enginesOf } from "../stacks/placement";
import { lab, labSecured, labThree, labThreeSecured } from "./environments";
import { type RunLabScript, runLabScript, withSteps } from "./scripts";

/** The Terraform that the rest of this process uses. */
export interface LabTerraform {
  readonly terraform: string;
  readonly cliConfigFile: string;
}

export interface LabOptions {
  /** Whether to remove data, state and secrets of earlier labs first. */
  readonly fresh: boolean;
  /** Whether to continue although the engine has other containers. */
  readonly yes: boolean;
  /** The environment to deploy. Those with several machines have engines of their own. @default lab */
  readonly environment?: Environment;
  /** Whether to add an archive of the classes that JVMs load to the images. Pays off if clusters start many times. @default false */
  readonly sharedClasses?: boolean;
  /** The engine to start. The lab's other engines are stopped. @default bookworm */
  readonly engine?: LabEngine;
}

/** A Docker engine of lab/engines.sh: this machine's own (`bookworm`) or a newer one of Debian. */
export type LabEngine = "bookworm" | "trixie" | "forky";

/** The same folder as in lab/lib.sh. */
const CACHE =
  process.env.GROUNDWORK_LAB_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "groundwork-lab");
const ENGINE_FILES = join(CACHE, "engines");

const LABS = [lab, labSecured];
const LABS_OF_THREE = [labThree, labThreeSecured];
const labelOf = ({ name }: Environment) => `label=groundwork.environment=${name}`;
const stateOf = ({ name }: Environment) => join(PROJECT_ROOT, ".state", name);
/** The label of containers in which tests act as applications. An interrupted run leaves them behind. */
const TRIAL = "label=groundwork.trial";

/**
 * Prepares engine, images, Terraform and provider. Removes containers and networks of earlier runs and other clones, and adopts
 * their data volumes. Throws if DOCKER_HOST or a Docker context names an engine, or if the engine has other containers, unless
 * `yes` is set.
 */
export async function prepareLab(options: LabOptions): Promise<LabTerraform> {
  console.log(
    "lab: the lab uses stand-ins for the images and the provider: use it to try and test, never for a deployment of your own",
  );
  const named = await currentEngine();
  if (named && !options.yes) {
    throw new CommandError(
      `the Docker engine is "${shownAddress(named.host)}", and the lab would build images and deploy there: unset DOCKER_HOST, switch to the default Docker context (docker context use default), or add --yes`,
    );
  }
  await takeTurns();
  const { environment = lab, engine = "bookworm", sharedClasses = false } = options;
  if (!environment.machines && (await askEngine(undefined, "version")).exitCode === 0) {
    // engine.sh may stop this engine to start another one.
    await refuseToDisturb(options);
  }
  const terraform = await withSteps(async (runScript) => {
    await runScript("engine.sh", engine);
    useClientOf(engine);
    const count = String(environment.machines?.length);
    if (environment.machines) {
      if (options.fresh) {
        // Removes the Swarm too: agents of one that restarts may find no manager for half a minute.
        await runScript("machines.sh", "wipe");
      }
      await runScript("machines.sh", "start", count);
    } else {
      await refuseToDisturb(options);
      await stopMachines(runScript);
    }
    await refuseToReplace(environment, options);
    const images = imagesOf(environment);
    const [built] = await Promise.all([
      buildTerraform(runScript),
      buildImages(images, { runScript, sharedClasses }),
    ]);
    if (environment.machines) {
      await runScript("machines.sh", "start", count, ...Object.values(images));
    }
    return built;
  });
  if (environment.machines) {
    await makeSwarm(environment);
  }
  await cleanLeftovers(environment, options);
  return terraform;
}

/** Makes this process and its children use the engine's own docker command, if it has one. This machine's may be too old for it. */
function useClientOf(engine: LabEngine): void {
  const others = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.startsWith(ENGINE_FILES));
  process.env.PATH = [clientOf(engine), ...others].join(delimiter);
}

/** Returns the process id of the engine that the lab started, or undefined if it started none. @internal */
export function labEnginePid(): string | undefined {
  try {
    return readFileSync(join(CACHE, "dockerd.pid"), "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Returns the folder of the engine's own docker command. */
export function clientOf(engine: LabEngine): string {
  return join(ENGINE_FILES, engine, "bin");
}

/** Stops and removes the lab's machines, if there are any. Keeps their data and images. */
export async function stopMachines(runScript: RunLabScript = runLabScript): Promise<void> {
  const [{ engine }] = labThree.machines;
  if (existsSync(dirname(new URL(engine).pathname))) {
    await runScript("machines.sh", "stop");
  }
}

/** Returns the images that an environment deploys, by their kind in lab/images.sh. */
function imagesOf(environment: Environment): Readonly<Record<string, string>> {
  const { kafka, openSearch } = environment;
  return {
    kafka: kafka.image ?? KAFKA_IMAGE,
    [openSearch.image ? "secured-opensearch" : "opensearch"]: openSearch.image ?? OPENSEARCH_IMAGE,
    prometheus: PROMETHEUS_IMAGE,
    "docker-cli": DOCKER_CLI_IMAGE,
    ...(isSecured(environment) && { haproxy: HAPROXY_IMAGE }),
  };
}

/** The image with the exporters that Alloy embeds. Only suites use it. @internal */
export const EXPORTERS_IMAGE = "groundwork-lab/exporters";

/** Builds missing images. @internal */
export async function buildImages(
  images: Readonly<Record<string, string>>,
  {
    runScript = runLabScript,
    sharedClasses = false,
  }: { readonly runScript?: RunLabScript; readonly sharedClasses?: boolean } = {},
): Promise<void> {
  await runScript(
    "images.sh",
    ...(sharedClasses ? ["--shared-classes"] : []),
    ...Object.entries(images).map(([kind, image]) => `${kind}=${image}`),
  );
}

/** Builds Terraform and the provider if they are missing, and makes every child process use them. */
export async function buildTerraform(
  runScript: RunLabScript = runLabScript,
): Promise<LabTerraform> {
  const [terraform, cliConfigFile] = await Promise.all([
    runScript("terraform.sh"),
    runScript("provider.sh"),
  ]);
  removeLockFiles();
  process.env.TF_CLI_CONFIG_FILE = cliConfigFile;
  if (isAbsolute(terraform)) {
    // The lab built it, so it is not on the PATH.
    process.env.TERRAFORM_BINARY_NAME = terraform;
  }
  // cdktf's plugin cache would reuse the stand-in in the user's other projects.
  process.env.CDKTF_DISABLE_PLUGIN_CACHE_ENV = "1";
  return { terraform, cliConfigFile };
}

/** The variable that tells child processes who holds the lock. */
const TURN = "GROUNDWORK_LAB_TURN";

/** How long a lab waits for another one to end. */
const PATIENCE_SECONDS = 120;

/** Waits until no other lab runs on this machine, since all clones share its engine. Throws after `PATIENCE_SECONDS`. */
async function takeTurns(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const lock = join(CACHE, "lab.lock");
  let told = false;
  const other = await poll(
    () => otherOwner(lock),
    (pid) => pid === undefined,
    {
      intervalMs: 1000,
      patienceMs: PATIENCE_SECONDS * 1000,
      onWait(pid) {
        if (!told) {
          console.log(`lab: waiting for another lab on this machine (process ${pid})`);
          told = true;
        }
      },
    },
  );
  if (other !== undefined) {
    throw new CommandError(
      `another lab (process ${other}) has used the Docker engine for more than ${PATIENCE_SECONDS} s: wait until it ends, or stop it (ps -fp ${other} shows what it is)`,
    );
  }
}

/** Takes the lock until this process ends. Returns the process that holds it instead, if any. */
function otherOwner(lock: string): number | undefined {
  const own = identify(process.pid) as string;
  while (!tryLock(lock, own)) {
    const owner = ownerOf(lock);
    if (owner === undefined) {
      // The owner released it meanwhile.
      continue;
    }
    if ([own, process.env[TURN]].includes(owner)) {
      process.env[TURN] = owner;
      return undefined;
    }
    const pid = Number.parseInt(owner, 10);
    if (owner === identify(pid)) {
      return pid;
    }
    rmSync(lock, { force: true });
    console.log(`lab: taking over from process ${pid}, which was killed`);
  }
  process.env[TURN] = own;
  process.once("exit", () => rmSync(lock, { force: true }));
  return undefined;
}

/** Creates the lock atomically, so that other processes never read one without an owner. Returns whether it succeeded. */
function tryLock(lock: string, own: string): boolean {
  const written = `${lock}.${process.pid}`;
  writeFileSync(written, own);
  try {
    linkSync(written, lock);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(written);
  }
}

function ownerOf(lock: string): string | undefined {
  try {
    return readFileSync(lock, "utf8");
  } catch {
    return undefined;
  }
}

/** Returns a process's id and start time, since ids are reused. Returns undefined if there is no such process, or only a zombie. */
function identify(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Skips the first two fields: the second, in parentheses, may contain spaces.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return "ZX".includes(state) ? undefined : `${pid} started ${fields[18]}`;
  } catch {
    return undefined;
  }
}

async function refuseToDisturb({ yes }: LabOptions): Promise<void> {
  const all = await names(undefined, "container", "ls");
  const own = await Promise.all(
    [...LABS.map(labelOf), TRIAL].map((label) =>
      names(undefined, "container", "ls", "--filter", label),
    ),
  );
  const others = all.filter((name) => !own.flat().includes(name));
  if (others.length > 0 && !yes) {
    throw new CommandError(
      `the Docker engine has containers that are not the lab's (${others.join(", ")}): run the lab on another machine, or add --yes to continue`,
    );
  }
}

/** Returns the labs on the same engine with the same container names, of which only one can be deployed at a time. */
function labsLike(environment: Environment): readonly Environment[] {
  return environment.machines ? LABS_OF_THREE : LABS;
}

async function refuseToReplace(environment: Environment, { fresh }: LabOptions): Promise<void> {
  const [engine] = enginesOf(environment);
  const others = labsLike(environment).filter(({ name }) => name !== environment.name);
  for (const other of fresh ? [] : others) {
    if ((await labelled(engine, "volume", [labelOf(other)])).length > 0) {
      throw new CommandError(
        `the Docker engine has data volumes of environment "${other.name}", and "${environment.name}" uses the same names: add --fresh to remove them, or keep using "${other.name}"`,
      );
    }
  }
}

/**
 * Removes containers and networks that another clone or an interrupted run left and that this clone's state does not have.
 * Data volumes stay and are adopted by name, unless `fresh` is set.
 */
async function cleanLeftovers(environment: Environment, { fresh }: LabOptions): Promise<void> {
  const labs = labsLike(environment);
  const engines = enginesOf(environment);
  if (fresh) {
    for (const one of labs) {
      rmSync(stateOf(one), { recursive: true, force: true });
    }
  }
  const known = knownIds(environment);
  /** Removes what `unwanted` selects, one engine at a time: a Swarm network that is removed from one is gone from the others. */
  const clean = async (
    kind: keyof typeof LISTS,
    labels: readonly string[],
    unwanted: (id: string) => boolean,
  ) => {
    let count = 0;
    for (const engine of engines) {
      const ids = (await labelled(engine, kind, labels)).filter(unwanted);
      if (ids.length > 0) {
        await (kind === "container"
          ? forceRemoveContainers(engine, ids)
          : dockerAt(engine, kind, "rm", ...ids));
        count += ids.length;
      }
    }
    return count;
  };
  const isForeign = (id: string) => !known.has(id);
  const ours = labs.map(labelOf);
  const containers = await clean("container", [...ours, TRIAL], isForeign);
  if (containers > 0) {
    console.log(
      `lab: removed ${counted(containers, "container")} of another clone or an earlier run`,
    );
  }
  const networks = await clean("network", ours, isForeign);
  if (networks > 0) {
    console.log(`lab: removed ${counted(networks, "network")} of another clone or an earlier run`);
  }
  const volumes = await clean("volume", ours, () => fresh);
  if (volumes > 0) {
    console.log(`lab: removed ${counted(volumes, "data volume")} of earlier labs (--fresh)`);
  }
  const kept = await Promise.all(engines.map((engine) => labelled(engine, "volume", ours)));
  if (kept.flat().some(isForeign)) {
    console.log("lab: adopting the data volumes of another clone or an earlier run");
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Removes containers in any state. Waits for those that the engine is already removing: it refuses a second removal. */
async function forceRemoveContainers(engine: Engine, ids: readonly string[]): Promise<void> {
  let left = ids;
  const remove = async () => {
    const { exitCode, output } = await tryDockerAt(engine, "container", "rm", "--force", ...left);
    const there = exitCode === 0 ? [] : await lines(engine, "container", ...LISTS.container);
    left = left.filter((id) => there.includes(id));
    return output;
  };
  const said = await poll(remove, () => left.length === 0, {
    intervalMs: 500,
    patienceMs: LONGEST_REMOVAL_MS,
  });
  if (left.length > 0) {
    throw new CommandError(
      `cannot remove containers of an earlier lab within ${LONGEST_REMOVAL_MS / 1000} s: ${said}`,
    );
  }
}

const LONGEST_REMOVAL_MS = 120_000;

/** The docker arguments that list the ids of each kind. */
const LISTS = {
  container: ["ls", "--all", "--no-trunc", "--format", "{{.ID}}"],
  network: ["ls", "--no-trunc", "--format", "{{.ID}}"],
  volume: ["ls", "--format", "{{.Name}}"],
} as const;

/** Returns the ids of everything of a kind on an engine that has one of the labels. The id of a volume is its name. */
async function labelled(
  engine: Engine,
  kind: keyof typeof LISTS,
  labels: readonly string[],
): Promise<string[]> {
  const listed = await Promise.all(
    labels.map((label) => lines(engine, kind, ...LISTS[kind], "--filter", label)),
  );
  return listed.flat();
}

/** Returns the ids of everything in this clone's state. */
function knownIds(environment: Environment): Set<string> {
  const ids = new Set<string>();
  const folder = stateOf(environment);
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (file.endsWith(".tfstate")) {
      const state = JSON.parse(readFileSync(join(folder, file), "utf8"));
      for (const { instances } of state.resources) {
        for (const { attributes } of instances) {
          ids.add(attributes.id);
        }
      }
    }
  }
  return ids;
}

/** Removes Terraform's lock files: they have the checksum of the provider, which changes when the lab rebuilds it. */
function removeLockFiles(): void {
  const stacks = join(PROJECT_ROOT, "cdktf.out", "stacks");
  for (const stack of existsSync(stacks) ? readdirSync(stacks) : []) {
    if ([...LABS, ...LABS_OF_THREE].some(({ name }) => stack.startsWith(`${name}-`))) {
      rmSync(join(stacks, stack, ".terraform.lock.hcl"), { force: true });
    }
  }
}

async function lines(engine: Engine, ...args: string[]): Promise<string[]> {
  return (await dockerAt(engine, ...args)).split("\n").filter((line) => line !== "");
}

function names(engine: Engine, ...args: string[]): Promise<string[]> {
  const field = args[0] === "container" ? "{{.Names}}" : "{{.Name}}";
  return lines(engine, ...args, "--format", field);
}
