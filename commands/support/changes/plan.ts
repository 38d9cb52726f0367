import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../../environments";
import { PROJECT_ROOT } from "../cdktf";
import { callTerraform, type TerraformBinary } from "../terraform";
import { type Action, type ChangeReport, totalsOf } from "./change";
import { describeDifferences } from "./describe";
import type { Difference } from "./diff";
import { rollsOf } from "./roll";
import type { Json } from "./synthesis";

/** One resource of `terraform show -json` (https://developer.hashicorp.com/terraform/internals/json-format#change-representation). */
interface ResourceChange {
  readonly address: string;
  readonly previous_address?: string;
  readonly mode: "managed" | "data";
  readonly type: string;
  readonly name: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: Json;
    readonly after: Json;
    readonly after_unknown: Json;
    readonly before_sensitive: Json;
    readonly after_sensitive: Json;
  };
}

/** What Terraform would do in every stack, or in these, from the last synth and the state. */
export async function planReport(
  environment: Environment,
  terraform: TerraformBinary,
  stacks = synthesizedStacks(),
): Promise<ChangeReport> {
  const plans: [string, Json][] = [];
  // One after the other: Terraform's installations into one plugin cache get in each other's way.
  for (const stack of stacks) {
    plans.push([stack, await planStack(stack, terraform)]);
  }
  const changes = plans.flatMap(([stack, plan]) =>
    (plan.resource_changes as ResourceChange[]).flatMap((change) => toChange(stack, change)),
  );
  const before = totalsOf(containersOf(plans.map(([, plan]) => plan.prior_state?.values)));
  return {
    environment: environment.name,
    against: "what is deployed",
    changes,
    rolls: rollsOf(changes, before.nodes),
    before,
    after: totalsOf(containersOf(plans.map(([, plan]) => plan.planned_values))),
    memoryBudgetMiB: environment.memoryBudgetMiB,
  };
}

function synthesizedStacks(): string[] {
  const manifest = readFileSync(join(PROJECT_ROOT, "cdktf.out", "manifest.json"), "utf8");
  return Object.keys(JSON.parse(manifest).stacks);
}

async function planStack(stack: string, terraform: TerraformBinary): Promise<Json> {
  const folder = join(PROJECT_ROOT, "cdktf.out", "stacks", stack);
  const call = (...args: string[]) => callTerraform(terraform, folder, ...args);
  await call("init", "-input=false", "-no-color");
  await call("plan", "-input=false", "-no-color", "-lock-timeout=30s", "-out=plan");
  return JSON.parse(await call("show", "-json", "plan"));
}

const ACTIONS: Readonly<Record<string, Action>> = {
  create: "create",
  delete: "destroy",
  update: "update",
  "delete,create": "replace",
  "create,delete": "replace",
};

/** In the words of a preview, with the action that Terraform has decided on. */
function toChange(stack: string, resource: ResourceChange) {
  const { actions, before, after } = resource.change;
  const moved = resource.previous_address;
  const action = ACTIONS[actions.join()] ?? (moved ? "move" : undefined);
  if (resource.mode === "data" || action === undefined) {
    return [];
  }
  const difference: Difference = {
    stack,
    type: resource.type,
    id: resource.name,
    before: before === null ? undefined : visible(before, resource.change.before_sensitive),
    after:
      after === null
        ? undefined
        : visible(
            { ...unknownAsBefore(resource.change), ...after },
            resource.change.after_sensitive,
          ),
    movedFrom: moved,
  };
  return describeDifferences([difference]).map((change) => ({ ...change, action }));
}

/** What is only known after the apply is taken for what it was: it is no change that anybody made. */
function unknownAsBefore({ before, after_unknown }: ResourceChange["change"]): Json {
  const unknown = Object.keys(after_unknown ?? {}).filter((key) => after_unknown[key] === true);
  return Object.fromEntries(unknown.map((key) => [key, before?.[key]]));
}

/** As it could be declared: without what is unset, which providers spell differently, and without sensitive values. */
function visible(values: Json, sensitive: Json): Json {
  return Object.fromEntries(
    Object.entries<Json>(values)
      .filter(([, value]) => !isUnset(value))
      .map(([key, value]) => [
        key,
        sensitive?.[key] === true ? "(sensitive)" : withoutUnset(value),
      ]),
  );
}

function isUnset(value: Json): boolean {
  return value === null || value === false || value === "" || value?.length === 0;
}

function withoutUnset(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(withoutUnset);
  }
  return typeof value === "object"
    ? Object.fromEntries(
        Object.entries<Json>(value)
          .filter(([, item]) => !isUnset(item))
          .map(([key, item]) => [key, withoutUnset(item)]),
      )
    : value;
}

function containersOf(values: readonly Json[]): Json[] {
  return values
    .flatMap((value) => value?.root_module?.resources ?? [])
    .filter(({ type }: Json) => type === "docker_container")
    .map(({ values: body }: Json) => body);
}
