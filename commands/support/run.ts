import { join } from "node:path";
import type { Environment } from "../../environments";
import { cdktf, PROJECT_ROOT, type SynthesizedResource, synthesizedResources } from "./cdktf";
import { collectErrors, failureOf } from "./failure";
import { openDisplay } from "./progress/display";
import { Progress } from "./progress/progress";
import { watchWhile } from "./progress/watch";
import { stream } from "./stream";
import { type TerraformBinary, terraformEnv } from "./terraform";

/** Where everything that cdktf and Terraform print of an environment is kept. */
export function logFileOf({ name }: Environment): string {
  return join(PROJECT_ROOT, ".state", name, "terraform.log");
}

/** Terraform opens ten connections a stack, which is as many as an sshd takes at once: one stack after the other there. */
function isSshEngine(): boolean {
  return process.env.DOCKER_HOST?.startsWith("ssh:") ?? false;
}

/** Works on the stacks of the last synth: shows the progress, and fails with what stands in the way. */
export class Run {
  private readonly resources: readonly SynthesizedResource[] = synthesizedResources();

  constructor(
    readonly environment: Environment,
    readonly terraform: TerraformBinary,
    /** Further variables for cdktf. */
    private readonly env: NodeJS.ProcessEnv = {},
  ) {}

  get containers(): SynthesizedResource[] {
    return this.resources.filter(({ type }) => type === "docker_container");
  }

  /** Full name of a stack. */
  stack(layer: string): string {
    return `${this.environment.name}-${layer}`;
  }

  /** Deploys these stacks, without a name all. */
  async deploy(...layers: string[]): Promise<void> {
    const stacks = layers.length > 0 ? layers.map((layer) => this.stack(layer)) : ["*"];
    const pace = isSshEngine() ? ["--parallelism", "1"] : [];
    await this.follow((onLine) => this.cdktf(["deploy", ...stacks, ...pace], onLine));
  }

  /** Destroys these stacks side by side. */
  async destroy(...layers: string[]): Promise<void> {
    if (isSshEngine() && layers.length > 1) {
      for (const layer of layers) {
        await this.destroy(layer);
      }
      return;
    }
    await this.follow(async (onLine) => {
      // One stack a call: cdktf 0.21 never ends when it is to destroy several and leave one that they depend on.
      const codes = await Promise.all(
        layers.map((layer) => {
          const stack = this.stack(layer);
          return this.cdktf(["destroy", stack, "--ignore-missing-stack-dependencies"], (line) =>
            onLine(line, stack),
          );
        }),
      );
      return Math.max(...codes);
    });
  }

  /** Applies these resources of a stack alone, and what they depend on. */
  async apply(stack: string, addresses: readonly string[]): Promise<void> {
    const folder = join(PROJECT_ROOT, "cdktf.out", "stacks", stack);
    const args = [
      ...[`-chdir=${folder}`, "apply", "-auto-approve", "-input=false", "-no-color"],
      ...["-lock-timeout=30s", ...addresses.map((address) => `-target=${address}`)],
    ];
    await this.follow((onLine) =>
      stream(this.terraform.command, args, {
        cwd: PROJECT_ROOT,
        env: { ...terraformEnv(process.env), TF_IN_AUTOMATION: "1" },
        logFile: logFileOf(this.environment),
        onLine: (line) => onLine(line, stack),
      }),
    );
  }

  private cdktf(args: readonly string[], onLine: (line: string) => void): Promise<number> {
    const { environment, terraform, env } = this;
    const switches = ["--auto-approve", "--skip-synth", "--skip-provider-lock", "--no-color"];
    return cdktf([...args, ...switches], {
      ...{ environment: environment.name, terraform, env, onLine },
      logFile: logFileOf(environment),
    });
  }

  private async follow(
    work: (onLine: (line: string, stack?: string) => void) => Promise<number>,
  ): Promise<void> {
    const errors: string[] = [];
    const collect = collectErrors(errors);
    const progress = new Progress({
      display: await openDisplay(),
      stages: this.stages(),
      subjects: this.subjects(),
    });
    const exitCode = await watchWhile(
      progress,
      work((line, stack) => {
        collect(line);
        progress.line(line, stack);
      }),
    );
    if (exitCode !== 0) {
      throw await failureOf(errors, this.containers, logFileOf(this.environment));
    }
  }

  private stages(): Map<string, string> {
    const prefix = this.stack("");
    return new Map(this.resources.map(({ stack }) => [stack, stack.slice(prefix.length)]));
  }

  private subjects(): Map<string, string> {
    return new Map(
      this.resources.map(({ stack, type, id, body }) => [
        `${stack} ${type}.${id}`,
        typeof body.name === "string" ? body.name : id,
      ]),
    );
  }
}
