import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { homeFolder } from "../../environments/home-folder";
import { makePrivate } from "../../secrets/secret-files";
import { type Engine, engineVariables } from "../engine/docker";
import { variableOf } from "../synthesis/inputs";
import type { Stack } from "../synthesis/synthesize";
import type { Json } from "../synthesis/tree";
import { stream } from "../terminal/stream";
import { CommandError } from "../terminal/terminal";
import { callTerraform, type TerraformBinary, terraformEnv } from "./binary";
import { type Diagnostic, type Message, messageOf } from "./messages";

/** Receives the messages of a stack. */
export type OnMessage = (stack: Stack, message: Message) => void;

/** A plan that is saved in its stack's folder. */
export interface SavedPlan {
  readonly stack: Stack;
  /** Whether it changes anything. */
  readonly changes: boolean;
  /** The actions by address, such as `create` or `replace`. */
  readonly actions: ReadonlyMap<string, string>;
}

/** Terraform's errors, each with its stack. */
export class TerraformErrors extends Error {
  constructor(readonly errors: readonly (Diagnostic & { readonly stack: Stack })[]) {
    super(errors.map(({ summary, detail }) => `${summary}: ${detail}`).join("\n"));
  }
}

interface RunOptions {
  /** Exit codes of success. @default [0] */
  readonly success?: readonly number[];
  readonly onMessage?: (message: Message) => void;
  readonly env?: NodeJS.ProcessEnv;
}

const LOCK_FILE = ".terraform.lock.hcl";
const PLAN_FILE = "plan";

/** Runs Terraform in the folders of stacks. */
export class Terraform {
  constructor(
    readonly binary: TerraformBinary,
    /** The file with all output of Terraform. */
    readonly logFile: string,
    /** The Docker engine of all stacks that declare none. */
    private readonly engine?: Engine,
    private readonly onMessage: OnMessage = () => undefined,
  ) {}

  /**
   * Initializes the folders whose providers, backend or Terraform version have changed since the last time. Closes the folder of the
   * state to everyone but its owner, and removes the plans of a run that was killed.
   */
  async init(stacks: readonly Stack[]): Promise<void> {
    makePrivate(dirname(this.logFile));
    forgetPlans(stacks);
    const [first, ...others] = stacks.filter(
      (stack) => this.readStamp(stack) !== this.stampOf(stack),
    );
    if (!first) {
      return;
    }
    // The first downloads the provider, since parallel installations into one plugin cache conflict.
    await this.initOne(first);
    await Promise.all(
      others.map((stack) => {
        if (sameProviders(stack, first) && !existsSync(join(stack.folder, LOCK_FILE))) {
          cpSync(join(first.folder, LOCK_FILE), join(stack.folder, LOCK_FILE));
        }
        return this.initOne(stack);
      }),
    );
  }

  private async initOne(stack: Stack): Promise<void> {
    const cache = pluginCache();
    await this.call(stack, ["init", "-input=false", "-no-color"], {
      ...(cache !== undefined && { TF_PLUGIN_CACHE_DIR: cache }),
    });
    writeFileSync(stampFile(stack), this.stampOf(stack));
  }

  /** Returns the settings that the folder was initialized with; undefined if its lock file or stamp is missing. */
  private readStamp(stack: Stack): string | undefined {
    const ready = [stampFile(stack), join(stack.folder, LOCK_FILE)].every((file) =>
      existsSync(file),
    );
    return ready ? readFileSync(stampFile(stack), "utf8") : undefined;
  }

  private stampOf({ settings }: Stack): string {
    const { product, version } = this.binary;
    return JSON.stringify({ product, version, settings });
  }

  /** Plans an initialized stack and saves the plan. */
  async plan(stack: Stack, ...args: string[]): Promise<SavedPlan> {
    const actions = new Map<string, string>();
    const save = ["-detailed-exitcode", `-out=${PLAN_FILE}`];
    const code = await this.run(stack, ["plan", ...save, ...args], {
      success: [0, 2],
      onMessage: (message) => {
        if (message.kind === "planned") {
          actions.set(message.address, message.action);
        }
      },
    });
    return { stack, changes: code === 2, actions };
  }

  /** Returns the plan as JSON (https://developer.hashicorp.com/terraform/internals/json-format). */
  async show({ stack }: SavedPlan): Promise<Json> {
    return JSON.parse(await this.call(stack, ["show", "-json", PLAN_FILE]));
  }

  /** Returns an output of a deployed stack; undefined if it has none. */
  async output(stack: Stack, name: string): Promise<string | undefined> {
    return JSON.parse(await this.call(stack, ["output", "-json", "-no-color"]))[name]?.value;
  }

  async apply({ stack }: SavedPlan): Promise<void> {
    await this.run(stack, ["apply", PLAN_FILE]);
  }

  /** Applies only these resources of a stack and their dependencies. Replaces those in `replaced` in any case. */
  async applyTargets(
    stack: Stack,
    addresses: readonly string[],
    replaced: readonly string[] = [],
  ): Promise<void> {
    const targets = addresses.map((address) => `-target=${address}`);
    await this.run(stack, ["apply", "-auto-approve", ...targets, ...replacing(replaced)]);
  }

  /** Destroys a stack. Sets unset variables to a placeholder, since Terraform requires them although it does not use them here. */
  async destroy(stack: Stack): Promise<void> {
    const unused = stack.variables.map(({ name }) => [variableOf(name), "unused"]);
    const env = { ...Object.fromEntries(unused), ...process.env };
    await this.run(stack, ["destroy", "-auto-approve"], { env });
  }

  /** Imports an existing resource into the state. */
  async import(stack: Stack, address: string, id: string): Promise<void> {
    const switches = ["-input=false", "-no-color", "-lock-timeout=30s"];
    await this.call(stack, ["import", ...switches, address, id]);
  }

  /** Removes resources from the state without destroying them. */
  async forget(stack: Stack, addresses: readonly string[]): Promise<void> {
    await this.call(stack, ["state", "rm", "-lock-timeout=30s", ...addresses]);
  }

  private call(
    { folder }: Stack,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<string> {
    return callTerraform(this.binary, folder, args, { ...engineVariables(this.engine), ...env });
  }

  private async run(
    stack: Stack,
    [command, ...args]: readonly string[],
    { success = [0], onMessage = () => undefined, env = process.env }: RunOptions = {},
  ): Promise<number> {
    const errors: (Diagnostic & { stack: Stack })[] = [];
    const switches = ["-json", "-input=false", "-lock-timeout=30s"];
    const code = await stream(
      this.binary.command,
      [`-chdir=${stack.folder}`, command, ...switches, ...args],
      {
        cwd: stack.folder,
        env: {
          ...terraformEnv(env),
          ...engineVariables(this.engine),
          TF_IN_AUTOMATION: "1",
          CHECKPOINT_DISABLE: "1",
        },
        logFile: this.logFile,
        log: (line) => readable(stack, line),
        onLine: (line) => {
          const message = messageOf(line);
          if (message?.kind === "error") {
            errors.push({ ...message, stack });
          }
          if (message) {
            onMessage(message);
            this.onMessage(stack, message);
          }
        },
      },
    );
    if (!success.includes(code)) {
      throw new TerraformErrors(errors);
    }
    return code;
  }
}

/** Returns the options of a plan that replaces these resources although nothing about them changes. */
export function replacing(addresses: readonly string[]): string[] {
  return addresses.map((address) => `-replace=${address}`);
}

/**
 * Whether a plan only creates resources. Such a plan stays valid after its dependencies change. A plan without changes does not: its
 * dependencies may have been replaced.
 */
export function createsOnly({ changes, actions }: Pick<SavedPlan, "changes" | "actions">): boolean {
  return changes && [...actions.values()].every((action) => action === "create");
}

/** Removes the saved plans, which have the sensitive values of the state in plaintext. */
export function forgetPlans(stacks: readonly Stack[]): void {
  for (const { folder } of stacks) {
    rmSync(join(folder, PLAN_FILE), { force: true });
  }
}

function stampFile({ folder }: Stack): string {
  return join(folder, ".terraform", "groundwork-init.json");
}

function sameProviders(one: Stack, other: Stack): boolean {
  const providers = ({ settings }: Stack) => JSON.stringify(settings.required_providers);
  return providers(one) === providers(other);
}

/** Renders a line of Terraform's JSON output as text, errors with their detail. */
function readable({ layer }: Stack, line: string): string {
  try {
    const { "@message": message, diagnostic, hook } = JSON.parse(line);
    const said = hook?.output ?? message ?? line;
    return `${layer}: ${diagnostic?.detail ? `${said}: ${diagnostic.detail}` : said}`;
  } catch {
    return `${layer}: ${line}`;
  }
}

/** Creates and returns the folder in which providers are kept, so that each is downloaded once. Undefined for no cache. */
function pluginCache(): string | undefined {
  const { CDKTF_DISABLE_PLUGIN_CACHE_ENV: disabled, TF_PLUGIN_CACHE_DIR: given } = process.env;
  const home = homeFolder();
  if (disabled || (given === undefined && home === undefined)) {
    return undefined;
  }
  // The cache of the cdktf CLI.
  const cache = given ?? join(home ?? "", ".terraform.d", "plugin-cache");
  try {
    mkdirSync(cache, { recursive: true });
  } catch (error) {
    if (given !== undefined) {
      throw new CommandError(
        `TF_PLUGIN_CACHE_DIR is "${given}", which cannot be created (${(error as Error).message}): name a folder that this user may write`,
      );
    }
    // A user id without an account has / as its home in a container.
    return undefined;
  }
  return cache;
}
