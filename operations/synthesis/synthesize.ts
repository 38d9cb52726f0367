import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ValidationError } from "../../constructs/container/validation";
import type { EngineAddress, Environment } from "../../environments";
import { enginesOf, isSameEngine } from "../../stacks/placement";
import type { SynthesizeProps } from "../../stacks/platform";
import { CommandError } from "../terminal/terminal";
import { declaredCatalog } from "./environment";
import { type Variable, variablesOf } from "./inputs";
import { OUTPUT, PROJECT_ROOT, stackFolder } from "./project";
import { engineOfStack, resourcesOf, type SynthesizedResource } from "./resources";

/** A synthesized stack. */
export interface Stack {
  readonly name: string;
  /** The name without the environment, for messages. */
  readonly layer: string;
  /** Terraform's working folder. */
  readonly folder: string;
  /** Names of the stacks that are deployed first. */
  readonly dependencies: readonly string[];
  readonly resources: readonly SynthesizedResource[];
  /** Its `terraform` block: the providers and the backend. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Its Docker engine; undefined for the docker command's default. */
  readonly engine?: EngineAddress;
  /** Names of its providers, such as `docker`. */
  readonly providers: readonly string[];
  readonly variables: readonly Variable[];
}

/** Writes the stacks to cdktf.out, as `cdktf synth` does, and prints their warnings. Throws if a declaration is invalid. */
export async function synthesize(
  environment: Environment,
  props: Omit<SynthesizeProps, "outdir"> = {},
): Promise<Stack[]> {
  await synthesizeTo(environment, OUTPUT, props);
  const manifest = JSON.parse(readFileSync(join(OUTPUT, "manifest.json"), "utf8"));
  const stacks = inOrder(Object.values(manifest.stacks));
  for (const { level, message } of stacks.flatMap(({ annotations }) => annotations)) {
    if (level === "@cdktf/warn") {
      console.warn(`warning: ${message}`);
    }
  }
  const engines = enginesOf(environment);
  return stacks
    .map((entry) => readStack(environment, entry))
    .filter(
      ({ engine, providers }) =>
        engines.some((present) => isSameEngine(present, engine)) || !providers.includes("docker"),
    );
}

/** Writes the stacks to a folder. Throws if a declaration is invalid. */
export async function synthesizeTo(
  environment: Environment,
  outdir: string,
  props: Omit<SynthesizeProps, "outdir"> = {},
): Promise<void> {
  try {
    const catalog = declaredCatalog();
    // Imported here, since it loads CDKTF: a command that fails before a synth stays fast.
    const { synthesizePlatform } = await import("../../stacks/platform");
    await synthesizePlatform(environment, catalog, { ...props, outdir });
  } catch (error) {
    throw explain(error as Error);
  }
}

/** Adds the file and line in the project to errors of a synth. A validation error already names its place. */
function explain(error: Error): Error {
  if (error instanceof ValidationError) {
    return error;
  }
  const place = error.stack
    ?.split("\n")
    .map((line) => /(\/[^():]+:\d+):\d+\)?$/.exec(line)?.[1])
    .find((path) => path?.startsWith(`${PROJECT_ROOT}/`) && !path.includes("/node_modules/"));
  const where = place ? ` (at ${relative(PROJECT_ROOT, place)})` : "";
  return new CommandError(`${error.message.trim()}${where}`);
}

/** A stack in CDKTF's manifest. */
interface Entry {
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly annotations: readonly { readonly level: string; readonly message: string }[];
}

/** Returns the stacks, each after its dependencies. */
function inOrder(entries: readonly Entry[]): Entry[] {
  const ordered: Entry[] = [];
  const add = (entry: Entry) => {
    if (!ordered.includes(entry)) {
      for (const name of entry.dependencies) {
        add(entries.find((other) => other.name === name) as Entry);
      }
      ordered.push(entry);
    }
  };
  entries.forEach(add);
  return ordered;
}

function readStack(environment: Environment, entry: Entry): Stack {
  const folder = stackFolder(entry.name);
  const json = JSON.parse(readFileSync(join(folder, "cdk.tf.json"), "utf8"));
  return {
    name: entry.name,
    layer: entry.name.slice(environment.name.length + 1),
    folder,
    dependencies: entry.dependencies,
    resources: resourcesOf(entry.name, json),
    settings: json.terraform,
    engine: engineOfStack(environment, json),
    providers: Object.keys(json.provider ?? {}),
    variables: variablesOf(json),
  };
}
