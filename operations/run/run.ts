import { join } from "node:path";
import pLimit from "p-limit";
import { nodeOfCertificates } from "../../constructs/security/node-certificates";
import { reportOf } from "../changes/plan";
import type { ChangeReport } from "../changes/report";
import { engineCpus, isSshEngine } from "../engine/docker";
import type { Platform } from "../platform/platform";
import { openDisplay } from "../progress/display";
import { Progress } from "../progress/progress";
import { watchWhile } from "../progress/watch";
import {
  clusterOf,
  containersOf,
  isContainer,
  type SynthesizedContainer,
} from "../synthesis/container";
import { PROJECT_ROOT } from "../synthesis/project";
import type { Stack } from "../synthesis/synthesize";
import type { Json } from "../synthesis/tree";
import type { TerraformBinary } from "../terraform/binary";
import {
  createsOnly,
  forgetPlans,
  type OnMessage,
  replacing,
  type SavedPlan,
  Terraform,
  TerraformErrors,
} from "../terraform/terraform";
import { failureOf } from "./failure";
import { startupOrder } from "./startup-order";

export interface RunOptions {
  /**
   * Whether every node of a cluster is replaced.
   *
   * @default false
   */
  readonly replaceNodes?: boolean;

  /**
   * Whether the plans are only shown. Terraform then takes no lock on the state, so that a deploy never waits for a plan. Such a plan
   * writes no state.
   *
   * @default false
   */
  readonly readOnly?: boolean;

  /**
   * Throws if another command may change the environment, too. Called before Terraform changes anything.
   *
   * @default - nothing is locked
   */
  readonly stillHeld?: () => Promise<void>;
}

/** Plans, deploys and destroys the stacks of a synth. Shows the progress, and throws an explanation of every failure. */
export class Run {
  private readonly logFile: string;
  private readonly plans = new Map<Stack, SavedPlan>();
  /** The deployed stacks, and whether the deploy changed anything. */
  private readonly changed = new Map<Stack, boolean>();
  /** The addresses of the nodes that are replaced although their configuration is the same. */
  private readonly renewed = new Map<Stack, readonly string[]>();

  private readonly planArgs: readonly string[];

  /** Throws if another command may change the environment, too. */
  readonly stillHeld: () => Promise<void>;

  constructor(
    readonly platform: Platform,
    /** Each stack after its dependencies. */
    readonly stacks: readonly Stack[],
    private readonly binary: TerraformBinary,
    { replaceNodes = false, readOnly = false, stillHeld = async () => undefined }: RunOptions = {},
  ) {
    this.stillHeld = stillHeld;
    this.planArgs = readOnly ? ["-lock=false"] : [];
    this.logFile = join(PROJECT_ROOT, ".state", platform.environment.name, "terraform.log");
    for (const stack of replaceNodes ? stacks : []) {
      const nodes = stack.resources.filter(isContainer).filter(({ body }) => clusterOf(body));
      this.renewed.set(
        stack,
        nodes.map(({ type, id }) => `${type}.${id}`),
      );
    }
  }

  get containers(): SynthesizedContainer[] {
    return containersOf(this.stacks.flatMap(({ resources }) => resources));
  }

  /**
   * Plans every stack in parallel. A stack that queries a service that another stack is about to change, as alerting queries Grafana, is
   * planned without a refresh.
   */
  async plan(): Promise<void> {
    const terraform = this.terraform();
    await this.explainFailures(async () => {
      await terraform.init(this.stacks);
      const planned = await this.inTurn<SavedPlan>(this.stacks, async (stack, before) => {
        const stale = !asksTheEngineAlone(stack) && (await before()).some(({ changes }) => changes);
        return this.planOf(terraform, stack, ...(stale ? ["-refresh=false"] : []));
      });
      for (const plan of planned) {
        this.plans.set(plan.stack, plan);
      }
    });
  }

  /**
   * Removes volumes that are no longer declared from the state, so that they keep their data. Terraform's `prevent_destroy` protects only
   * declared volumes; it would destroy the others.
   */
  async keepVolumes(): Promise<void> {
    const terraform = this.terraform();
    const undeclared = ({ actions }: SavedPlan) =>
      [...actions].flatMap(([address, action]) =>
        action === "delete" && address.startsWith("docker_volume.") ? [address] : [],
      );
    // If an environment becomes one with machines, the volumes move to the machines' stacks.
    const declared = this.stacks
      .flatMap(({ resources }) => resources)
      .filter(({ type }) => type === "docker_volume")
      .map(({ body }) => body.name);
    for (const plan of this.planned.filter((planned) => undeclared(planned).length > 0)) {
      const { resource_changes } = await terraform.show(plan);
      const kept = (resource_changes as Json[])
        .filter(({ address }) => undeclared(plan).includes(address))
        // The certificates of a removed node are destroyed.
        .filter(({ change }) => nodeOfCertificates(change.before.name) === undefined);
      if (kept.length === 0) {
        continue;
      }
      for (const { change } of kept) {
        if (!declared.includes(change.before.name)) {
          console.log(
            `  volume ${change.before.name} is no longer declared and keeps its data. Declare it again to use it again, or run npm run volumes -- --remove-orphans after this deploy to delete it`,
          );
        }
      }
      await this.stillHeld();
      await this.explainFailures(async () => {
        await terraform.forget(
          plan.stack,
          kept.map(({ address }) => address),
        );
        this.plans.set(plan.stack, await this.planOf(terraform, plan.stack));
      });
    }
  }

  /** The plans that are not applied yet. */
  get planned(): SavedPlan[] {
    return this.stacks.flatMap((stack) => this.plans.get(stack) ?? []);
  }

  /** Plans the stacks again whose plans an apply or import has outdated. */
  async replan(): Promise<void> {
    const terraform = this.terraform();
    const outdated = this.stacks.filter(
      (stack) => !this.plans.has(stack) && !this.changed.has(stack),
    );
    await this.explainFailures(async () => {
      await this.inTurn(outdated, async (stack) => {
        this.plans.set(stack, await this.planOf(terraform, stack));
      });
    });
  }

  /** Returns an output of a layer as it is deployed; undefined if it has none. The stacks have to be planned, which initializes them. */
  async output(layer: string, name: string): Promise<string | undefined> {
    const stack = this.stacks.find((one) => one.layer === layer);
    return stack && (await this.terraform().output(stack, name));
  }

  /** Returns the report of the given plans, by default of all that are not applied yet. */
  async report(plans: readonly SavedPlan[] = this.planned): Promise<ChangeReport> {
    const terraform = this.terraform();
    return reportOf(
      this.platform.environment,
      await Promise.all(
        plans.map(async (plan) => ({
          stack: plan.stack,
          plan: plan.changes ? await terraform.show(plan) : undefined,
        })),
      ),
    );
  }

  /**
   * Applies the plans of the stacks of these layers, by default of all, each after its dependencies. Plans a stack first if it has no plan
   * or a stale one.
   */
  async deploy(...layers: string[]): Promise<void> {
    const stacks = this.stacks.filter(
      (stack) =>
        !this.changed.has(stack) &&
        (layers.length === 0 || layers.some((layer) => isPartOf(stack, layer))),
    );
    // Nodes on several machines wait for each other.
    const inTurn = this.platform.environment.machines
      ? []
      : startupOrder(
          stacks.flatMap((stack) => this.plans.get(stack) ?? []),
          await engineCpus(this.platform.environment.engine),
        ).map(({ stack }) => stack);
    if (inTurn.length > 0) {
      console.log(
        `starting ${inTurn.map(({ layer }) => layer).join(" and ")} one at a time: the Docker engine has fewer CPUs than they have nodes`,
      );
    }
    const oneByOne = pLimit(1);
    await this.follow((terraform, progress) =>
      this.inTurn<void>(stacks, async (stack, before) => {
        await before();
        const plan = this.freshPlan(stack) ?? (await this.planOf(terraform, stack));
        if (plan.changes) {
          const apply = async () => {
            await this.stillHeld();
            await terraform.apply(plan);
          };
          await (inTurn.includes(stack) ? oneByOne(apply) : apply());
        } else {
          progress.unchanged(stack);
        }
        this.plans.delete(stack);
        this.renewed.delete(stack);
        this.changed.set(stack, plan.changes);
      }),
    );
  }

  /** Returns the saved plan, unless a dependency has changed since. */
  private freshPlan(stack: Stack): SavedPlan | undefined {
    const plan = this.plans.get(stack);
    const stale = this.dependenciesOf(stack).some((dependency) => this.changed.get(dependency));
    const lasts = plan !== undefined && createsOnly(plan) && asksTheEngineAlone(stack);
    return !stale || lasts ? plan : undefined;
  }

  /** Applies only these resources and their dependencies, in all stacks at once: nodes on several machines wait for each other. */
  async apply(
    targets: readonly { readonly stack: Stack; readonly addresses: readonly string[] }[],
  ): Promise<void> {
    await this.stillHeld();
    for (const { stack } of targets) {
      this.plans.delete(stack);
    }
    await this.follow((terraform) =>
      allOf(
        targets.map(async ({ stack, addresses }) => {
          const renewed = this.renewed.get(stack) ?? [];
          await terraform.applyTargets(
            stack,
            addresses,
            renewed.filter((address) => addresses.includes(address)),
          );
          this.renewed.set(
            stack,
            renewed.filter((address) => !addresses.includes(address)),
          );
        }),
      ),
    );
  }

  private planOf(terraform: Terraform, stack: Stack, ...args: string[]): Promise<SavedPlan> {
    const replaced = replacing(this.renewed.get(stack) ?? []);
    return terraform.plan(stack, ...replaced, ...this.planArgs, ...args);
  }

  /** Imports an existing resource into the state. */
  async import(stack: Stack, address: string, id: string): Promise<void> {
    await this.stillHeld();
    this.plans.delete(stack);
    await this.terraform().import(stack, address, id);
  }

  /** Destroys the stacks of these layers in parallel. */
  async destroy(...layers: string[]): Promise<void> {
    const stacks = this.stacks.filter((stack) => layers.some((layer) => isPartOf(stack, layer)));
    await this.follow(async (terraform) => {
      await terraform.init(stacks);
      await this.inTurn(stacks, async (stack) => {
        await this.stillHeld();
        await terraform.destroy(stack);
      });
    });
  }

  /** Removes the saved plans from the disk. */
  forgetPlans(): void {
    forgetPlans(this.stacks);
  }

  /**
   * Works on stacks in parallel, or one at a time over SSH. `before` waits for the stack's dependencies. Waits for all stacks even if one
   * fails, so that no Terraform is left running on a state.
   */
  private async inTurn<T>(
    stacks: readonly Stack[],
    work: (stack: Stack, before: () => Promise<T[]>) => Promise<T>,
  ): Promise<T[]> {
    const begun = new Map<Stack, Promise<T>>();
    for (const stack of stacks) {
      const needed = this.dependenciesOf(stack).flatMap((other) => begun.get(other) ?? []);
      const working = work(stack, () => Promise.all(needed));
      begun.set(stack, working);
      if (isSshEngine(this.platform.environment.engine)) {
        await working.catch(() => undefined);
      }
    }
    return allOf([...begun.values()]);
  }

  private terraform(onMessage?: OnMessage): Terraform {
    return new Terraform(this.binary, this.logFile, this.platform.environment.engine, onMessage);
  }

  private dependenciesOf({ dependencies }: Stack): Stack[] {
    return this.stacks.filter(({ name }) => dependencies.includes(name));
  }

  private async follow(
    work: (terraform: Terraform, progress: Progress) => Promise<unknown>,
  ): Promise<void> {
    const progress = new Progress(await openDisplay());
    const terraform = this.terraform((stack, message) => progress.message(stack, message));
    await this.explainFailures(() =>
      watchWhile(this.platform, progress, work(terraform, progress)),
    );
  }

  private async explainFailures<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof TerraformErrors
        ? await failureOf(this.platform, error.errors, this.containers, this.logFile)
        : error;
    }
  }
}

/** Whether a stack belongs to a layer, as a whole or for one machine. */
function isPartOf(stack: Stack, layer: string): boolean {
  return stack.layer === layer || stack.layer.startsWith(`${layer}-`);
}

/** Whether the plan of a stack queries only the Docker engine, and no service that another stack creates. */
function asksTheEngineAlone({ providers }: Stack): boolean {
  return providers.every((provider) => provider === "docker");
}

/** Waits for all, and throws the errors of all that failed. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason] : [],
  );
  const other = failures.find((failure) => !(failure instanceof TerraformErrors));
  if (other) {
    throw other;
  }
  if (failures.length > 0) {
    // A stack that waits for a failed one fails with the same errors.
    throw new TerraformErrors([...new Set(failures.flatMap(({ errors }) => errors))]);
  }
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<T>).value);
}
