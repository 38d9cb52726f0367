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

/** What the rest of this process uses as Terraform. */
export interface LabTerraform {
  readonly terraform: string;
  readonly cliConfigFile: string;
}

export interface LabOptions {
  /** Starts without the data of earlier labs. */
  readonly fresh: boolean;
  /** Goes on although the engine serves others. */
  readonly yes: boolean;
  /** What is to be deployed: the lab of several machines has engines of its own. @default lab */
  readonly environment?: Environment;
  /** Builds the images with an archive of the classes that their JVMs load, for who starts clusters again and again. @default false */
  readonly sharedClasses?: boolean;
  /** Which of the lab's engines answers then; another one of them is stopped. @default bookworm */
  readonly engine?: LabEngine;
}

/** This machine's own, Debian's there, and newer ones, as in lab/engines.sh. */
export type LabEngine = "bookworm" | "trixie" | "forky";

/** As in lab/lib.sh. */
const CACHE =
  process.env.GROUNDWORK_LAB_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "groundwork-lab");
const ENGINE_FILES = join(CACHE, "engines");

const LABS = [lab, labSecured];
const LABS_OF_THREE = [labThree, labThreeSecured];
const labelOf = ({ name }: Environment) => `label=groundwork.environment=${name}`;
const stateOf = ({ name }: Environment) => join(PROJECT_ROOT, ".state", name);
/** On the containers of applications that the tests play: an interrupted run leaves them behind. */
const TRIAL = "label=groundwork.trial";

/** Engine, images, Terraform and provider; what earlier runs and other clones left is cleaned or adopted. */
export async function prepareLab(options: LabOptions): Promise<LabTerraform> {
  console.log(
    "lab: this is a lab with stand-ins for the images and the provider: it is for trying and testing, never for a deployment of your own",
  );
  const named = await currentEngine();
  if (named && !options.yes) {
    throw new CommandError(
      `the engine is "${named.host}": the lab would build images and deploy there; unset DOCKER_HOST, leave the docker context that names it (docker context use default), or add --yes`,
    );
  }
  await takeTurns();
  const { environment = lab, engine = "bookworm", sharedClasses = false } = options;
  if (!environment.machines && (await askEngine(undefined, "version")).exitCode === 0) {
    // It may be stopped for another one.
    await refuseToDisturb(options);
  }
  const terraform = await withSteps(async (runScript) => {
    await runScript("engine.sh", engine);
    useClientOf(engine);
    const count = String(environment.machines?.length);
    if (environment.machines) {
      if (options.fresh) {
        // Their Swarm too: agents of one that starts again may find no manager for half a minute.
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

/** Has this process and its children use the engine's own docker command, where it has one: that of this machine may be too old for it. */
function useClientOf(engine: LabEngine): void {
  const others = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.startsWith(ENGINE_FILES));
  process.env.PATH = [clientOf(engine), ...others].join(delimiter);
}

/** The process of the engine that the lab has started, as far as it has. @internal */
export function labEnginePid(): string | undefined {
  try {
    return readFileSync(join(CACHE, "dockerd.pid"), "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The folder of it. */
export function clientOf(engine: LabEngine): string {
  return join(ENGINE_FILES, engine, "bin");
}

/** Takes the machines of the lab of several down, if there are any; their data and images stay. */
export async function stopMachines(runScript: RunLabScript = runLabScript): Promise<void> {
  const [{ engine }] = labThree.machines;
  if (existsSync(dirname(new URL(engine).pathname))) {
    await runScript("machines.sh", "stop");
  }
}

/** The images that an environment deploys, by what lab/images.sh makes of them. */
function imagesOf(environment: Environment): Readonly<Record<string, string>> {
  const { openSearch } = environment;
  return {
    kafka: KAFKA_IMAGE,
    [openSearch.image ? "secured-opensearch" : "opensearch"]: openSearch.image ?? OPENSEARCH_IMAGE,
    prometheus: PROMETHEUS_IMAGE,
    "docker-cli": DOCKER_CLI_IMAGE,
    ...(isSecured(environment) && { haproxy: HAPROXY_IMAGE }),
  };
}

/** What Alloy has built in, as programs: for the suites alone. @internal */
export const EXPORTERS_IMAGE = "groundwork-lab/exporters";

/** Builds images that are not there yet. @internal */
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

/** Builds what is missing of Terraform and the provider, and has every child of this process use them. */
export async function buildTerraform(
  runScript: RunLabScript = runLabScript,
): Promise<LabTerraform> {
  const [terraform, cliConfigFile] = await Promise.all([
    runScript("terraform.sh"),
    runScript("provider.sh"),
  ]);
  forgetProviders();
  process.env.TF_CLI_CONFIG_FILE = cliConfigFile;
  if (isAbsolute(terraform)) {
    // Built by the lab, so not on the PATH.
    process.env.TERRAFORM_BINARY_NAME = terraform;
  }
  // cdktf's plugin cache would keep the stand-in for the user's other projects.
  process.env.CDKTF_DISABLE_PLUGIN_CACHE_ENV = "1";
  return { terraform, cliConfigFile };
}

/** Names the process whose turn it is to what it starts. */
const TURN = "GROUNDWORK_LAB_TURN";

/** How long a lab waits for another one's end. */
const PATIENCE_SECONDS = 120;

/** Two clones share the machine's engine: the second waits until the first has ended. */
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
          console.log(`lab: waits for another lab on this machine, process ${pid}`);
          told = true;
        }
      },
    },
  );
  if (other !== undefined) {
    throw new CommandError(
      `another lab uses this machine's engine for ${PATIENCE_SECONDS} s and more: wait until process ${other} has ended, or end it; ps -fp ${other} says what it is`,
    );
  }
}

/** Takes the lock until this process ends, or returns the process whose turn it is. */
function otherOwner(lock: string): number | undefined {
  const own = identify(process.pid) as string;
  while (!tryLock(lock, own)) {
    const owner = ownerOf(lock);
    if (owner === undefined) {
      // Released meanwhile.
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
    console.log(`lab: takes over from process ${pid}, which was killed`);
  }
  process.env[TURN] = own;
  process.once("exit", () => rmSync(lock, { force: true }));
  return undefined;
}

/** Whoever looks finds the lock with its owner in it, or none. */
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

/** A process's number and the time it started at, since numbers come again; nothing when there is no such process, or no more than its entry. */
function identify(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // From the third field on; the second one, in parentheses, may have spaces.
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
      `this engine serves other containers (${others.join(", ")}): the lab keeps off; use a machine of its own, or add --yes`,
    );
  }
}

/** Those that have the same engine and the same names: one is there at a time. */
function labsLike(environment: Environment): readonly Environment[] {
  return environment.machines ? LABS_OF_THREE : LABS;
}

async function refuseToReplace(environment: Environment, { fresh }: LabOptions): Promise<void> {
  const [engine] = enginesOf(environment);
  const others = labsLike(environment).filter(({ name }) => name !== environment.name);
  for (const other of fresh ? [] : others) {
    if ((await labelled(engine, "volume", [labelOf(other)])).length > 0) {
      throw new CommandError(
        `the engine has the data of environment "${other.name}", and "${environment.name}" has the same names: add --fresh to remove it, or go on with the other one`,
      );
    }
  }
}

/**
 * A second clone of the project, or a run that was interrupted, may have left containers and networks that this clone's
 * state does not know: they go. Data volumes stay and are adopted by name.
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
  /** Removes what is not wanted, engine after engine: a network of all machines is gone from the others with the first. */
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
          ? forceContainersOut(engine, ids)
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
    console.log(`lab: cleaned ${containers} containers of another clone or an earlier run`);
  }
  const networks = await clean("network", ours, isForeign);
  if (networks > 0) {
    console.log(`lab: cleaned ${networks} networks of another clone or an earlier run`);
  }
  const volumes = await clean("volume", ours, () => fresh);
  if (volumes > 0) {
    console.log(`lab: removed ${volumes} data volumes of earlier labs, as --fresh asks`);
  }
  const kept = await Promise.all(engines.map((engine) => labelled(engine, "volume", ours)));
  if (kept.flat().some(isForeign)) {
    console.log("lab: adopts the data volumes of another clone or an earlier run");
  }
}

/** Removes containers, however they are, and waits for those that the engine is removing itself, which it refuses to do twice. */
async function forceContainersOut(engine: Engine, ids: readonly string[]): Promise<void> {
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
      `containers of an earlier lab cannot be removed within ${LONGEST_REMOVAL_MS / 1000} s: ${said}`,
    );
  }
}

const LONGEST_REMOVAL_MS = 120_000;

/** How the engine lists the ids of each kind. */
const LISTS = {
  container: ["ls", "--all", "--no-trunc", "--format", "{{.ID}}"],
  network: ["ls", "--no-trunc", "--format", "{{.ID}}"],
  volume: ["ls", "--format", "{{.Name}}"],
} as const;

/** Ids of all of a kind on an engine that have one of the labels; a volume's is its name. */
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

/** Ids of everything in this clone's state. */
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

/** Terraform's lock file names the checksum of the provider that wrote it, which a rebuilt one does not have. */
function forgetProviders(): void {
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
