import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  DOCKER_CLI_IMAGE,
  KAFKA_IMAGE,
  OPENSEARCH_IMAGE,
  PROMETHEUS_IMAGE,
} from "../../constructs";
import { lab } from "../../environments/lab";
import { PROJECT_ROOT } from "./cdktf";
import { docker } from "./docker";
import { CommandError } from "./terminal";

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
}

const STATE = join(PROJECT_ROOT, ".state", lab.name);
const LABEL = `label=groundwork.environment=${lab.name}`;

/** Engine, images, Terraform and provider; what earlier runs and other clones left is cleaned or adopted. */
export async function prepareLab(options: LabOptions): Promise<LabTerraform> {
  console.log(
    "lab: this is a lab with stand-ins for the images and the provider: it is for trying and testing, never for a deployment of your own",
  );
  if (process.env.DOCKER_HOST && !options.yes) {
    throw new CommandError(
      `DOCKER_HOST is "${process.env.DOCKER_HOST}": the lab would build images and deploy there; unset it, or add --yes`,
    );
  }
  await takeTurns();
  await runLabScript("engine.sh");
  await refuseToDisturb(options);
  await runLabScript(
    "images.sh",
    ...[KAFKA_IMAGE, OPENSEARCH_IMAGE, PROMETHEUS_IMAGE, DOCKER_CLI_IMAGE],
  );
  const terraform = await buildTerraform();
  await cleanLeftovers(options);
  return terraform;
}

/** Builds what is missing of Terraform and the provider, and has every child of this process use them. */
export async function buildTerraform(): Promise<LabTerraform> {
  const terraform = await runLabScript("terraform.sh");
  const cliConfigFile = await runLabScript("provider.sh");
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

/** Two clones share the machine's engine: the second waits until the first has ended. */
async function takeTurns(): Promise<void> {
  const cache =
    process.env.GROUNDWORK_LAB_CACHE ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "groundwork-lab");
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, "lab.lock");
  let told = false;
  const own = identify(process.pid);
  while (!tryLock(lock)) {
    const owner = ownerOf(lock);
    if (owner && [own, process.env[TURN]].includes(owner)) {
      process.env[TURN] = owner;
      return;
    }
    if (owner && owner !== identify(Number.parseInt(owner, 10))) {
      rmSync(lock, { force: true });
      console.log(`lab: takes over from process ${Number.parseInt(owner, 10)}, which was killed`);
      continue;
    }
    if (owner && !told) {
      console.log(
        `lab: waits for another lab on this machine, process ${Number.parseInt(owner, 10)}`,
      );
      told = true;
    }
    await setTimeout(1000);
  }
  process.env[TURN] = own;
  process.once("exit", () => rmSync(lock, { force: true }));
}

function tryLock(lock: string): boolean {
  try {
    writeFileSync(lock, identify(process.pid) ?? "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

function ownerOf(lock: string): string | undefined {
  try {
    return readFileSync(lock, "utf8");
  } catch {
    return undefined;
  }
}

/** A process's number and the time it started at, since numbers come again; nothing when there is no such process. */
function identify(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The 22nd field; the second one, in parentheses, may have spaces.
    return `${pid} started ${stat.slice(stat.lastIndexOf(")")).split(" ")[20]}`;
  } catch {
    return undefined;
  }
}

/** Runs a script of the lab, shows its progress and returns the last line of what it printed. */
export function runLabScript(name: string, ...args: string[]): Promise<string> {
  const child = spawn(join(PROJECT_ROOT, "lab", name), args, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
    process.stderr.write(String(chunk).replace(/^(?!lab: ).*\n?/gm, ""));
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0
        ? resolve(output.trim().split("\n").pop() ?? "")
        : reject(new CommandError(`lab/${name} failed, its message is above`)),
    );
  });
}

async function refuseToDisturb({ yes }: LabOptions): Promise<void> {
  const all = await names("container", "ls", "--all");
  const own = await names("container", "ls", "--all", "--filter", LABEL);
  const others = all.filter((name) => !own.includes(name));
  if (others.length > 0 && !yes) {
    throw new CommandError(
      `this engine serves other containers (${others.join(", ")}): the lab keeps off; use a machine of its own, or add --yes`,
    );
  }
}

/**
 * A second clone of the project, or a run that was interrupted, may have left containers and networks that this clone's
 * state does not know: they go. Data volumes stay and are adopted by name.
 */
async function cleanLeftovers({ fresh }: LabOptions): Promise<void> {
  if (fresh) {
    rmSync(STATE, { recursive: true, force: true });
  }
  const known = knownIds();
  const foreign = async (kind: "container" | "network") => {
    const list = kind === "container" ? ["ls", "--all"] : ["ls"];
    const ids = await lines(kind, ...list, "--no-trunc", "--filter", LABEL, "--format", "{{.ID}}");
    return ids.filter((id) => !known.has(id));
  };
  const containers = await foreign("container");
  if (containers.length > 0) {
    await docker("rm", "--force", ...containers);
    console.log(`lab: cleaned ${containers.length} containers of another clone or an earlier run`);
  }
  const networks = await foreign("network");
  if (networks.length > 0) {
    await docker("network", "rm", ...networks);
    console.log(`lab: cleaned ${networks.length} networks of another clone or an earlier run`);
  }
  const volumes = await names("volume", "ls", "--filter", LABEL);
  if (fresh && volumes.length > 0) {
    await docker("volume", "rm", ...volumes);
    console.log(`lab: removed ${volumes.length} data volumes of earlier labs, as --fresh asks`);
  } else if (volumes.some((volume) => !known.has(volume))) {
    console.log("lab: adopts the data volumes of another clone or an earlier run");
  }
}

/** Ids of everything in this clone's state. */
function knownIds(): Set<string> {
  const ids = new Set<string>();
  for (const file of existsSync(STATE) ? readdirSync(STATE) : []) {
    if (file.endsWith(".tfstate")) {
      const state = JSON.parse(readFileSync(join(STATE, file), "utf8"));
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
    if (stack.startsWith(`${lab.name}-`)) {
      rmSync(join(stacks, stack, ".terraform.lock.hcl"), { force: true });
    }
  }
}

async function lines(...args: string[]): Promise<string[]> {
  return (await docker(...args)).split("\n").filter((line) => line !== "");
}

function names(...args: string[]): Promise<string[]> {
  const field = args[0] === "container" ? "{{.Names}}" : "{{.Name}}";
  return lines(...args, "--format", field);
}
