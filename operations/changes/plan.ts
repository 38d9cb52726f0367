import type { Environment } from "../../environments";
import { containersOf, type SynthesizedContainer } from "../synthesis/container";
import type { Stack } from "../synthesis/synthesize";
import type { Json } from "../synthesis/tree";
import { brokerDiskOf } from "./broker-disk";
import { type Action, totalsOf } from "./change";
import { describeDifferences } from "./describe";
import type { Difference } from "./diff";
import { withMovedNodes } from "./moved-nodes";
import { type ChangeReport, NO_CONSEQUENCES } from "./report";
import { rollsOf } from "./roll";

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

/** A stack, with Terraform's plan as JSON if it changes anything. */
export interface PlannedStack {
  readonly stack: Stack;
  readonly plan?: Json;
}

/** Reports what Terraform would do in these stacks. */
export function reportOf(environment: Environment, stacks: readonly PlannedStack[]): ChangeReport {
  const changes = withMovedNodes(
    stacks.flatMap(({ stack, plan }) =>
      ((plan?.resource_changes ?? []) as ResourceChange[]).flatMap((change) =>
        toChange(stack.name, change),
      ),
    ),
  );
  const before = totalsOf(
    stacks.flatMap((planned) => containersIn(planned, planned.plan?.prior_state?.values)),
  );
  const after = stacks.flatMap((planned) => containersIn(planned, planned.plan?.planned_values));
  return {
    environment: environment.name,
    against: "the deployed platform",
    changes,
    rolls: rollsOf(changes, before.nodes),
    before,
    after: totalsOf(after),
    memoryBudgetMiB: environment.memoryBudgetMiB,
    brokerDisk: brokerDiskOf(environment, after),
    consequences: NO_CONSEQUENCES,
  };
}

const ACTIONS: Readonly<Record<string, Action>> = {
  create: "create",
  delete: "destroy",
  update: "update",
  "delete,create": "replace",
  "create,delete": "replace",
};

/** Describes a change as a preview does, with the action that Terraform chose. */
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

/** Returns the old values of arguments that are only known after the apply: nobody changed them. */
function unknownAsBefore({ before, after_unknown }: ResourceChange["change"]): Json {
  const unknown = Object.keys(after_unknown ?? {}).filter((key) => after_unknown[key] === true);
  return Object.fromEntries(unknown.map((key) => [key, before?.[key]]));
}

/** Removes unset values, which providers spell differently, and masks sensitive ones. */
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

/** Returns the containers of one side of a plan. Without a plan nothing changes, so these are the declared ones. */
function containersIn({ stack, plan }: PlannedStack, values: Json): SynthesizedContainer[] {
  return plan === undefined
    ? containersOf(stack.resources)
    : (values?.root_module?.resources ?? [])
        .filter(({ type }: Json) => type === "docker_container")
        .map(({ values: body }: Json) => body);
}
