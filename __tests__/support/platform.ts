import { TerraformStack, Testing } from "cdktf";
import { catalog } from "../../catalog";
import type { Environment } from "../../environments";
import { type Catalog, declarePlatform } from "../../stacks/platform";

// biome-ignore lint/suspicious/noExplicitAny: synthesized JSON
export type Json = any;

/** Synthesizes the platform of an environment once. Returns its app, and the JSON of each stack by name. */
export function synthesize(environment: Environment, declared: Catalog = catalog) {
  const app = Testing.app();
  declarePlatform(app, environment, declared);
  const stacks: Record<string, Json> = {};
  for (const child of app.node.children) {
    if (TerraformStack.isStack(child)) {
      stacks[child.node.id] = JSON.parse(Testing.synth(child, true));
    }
  }
  return { app, stacks };
}

/** Returns every resource of a type in all stacks. */
export function resources(stacks: Record<string, Json>, type: string): Json[] {
  return Object.values(stacks).flatMap((stack) => Object.values(stack.resource?.[type] ?? {}));
}

export function containers(stacks: Record<string, Json>): Json[] {
  return resources(stacks, "docker_container");
}

/** Returns the container of that name. */
export function container(stacks: Record<string, Json>, name: string): Json {
  const found = containers(stacks).filter((body) => body.name === name);
  expect(found).toHaveLength(1);
  return found[0];
}

/** Returns a container's environment variables by name. */
export function envOf(body: Json): Record<string, string> {
  return Object.fromEntries(
    (body.env ?? []).map((entry: string) => {
      const at = entry.indexOf("=");
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

/** Returns the content of a container's file. */
export function fileOf(body: Json, path: string): string {
  const found = body.upload.filter(({ file }: Json) => file === path);
  expect(found).toHaveLength(1);
  return found[0].content;
}
