import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineAddress, Environment } from "../../environments";
import { isSameEngine } from "../../stacks/placement";
import { CommandError } from "../terminal/terminal";
import { containersOf, type SynthesizedContainer } from "./container";
import { PROJECT_ROOT, REGISTER } from "./project";
import { engineOfStack, resourcesOf, type SynthesizedResource } from "./resources";
import { synthesizeTo } from "./synthesize";

// biome-ignore lint/suspicious/noExplicitAny: synthesized JSON
export type Json = any;

/** The JSON of every stack by name, in deploy order. */
export type Synthesis = ReadonlyMap<string, Json>;

/** Synthesizes this project without writing to cdktf.out. */
export function synthesizeProject(environment: Environment): Promise<Synthesis> {
  return readOutput((output) => synthesizeTo(environment, output, { secrets: false }));
}

/** Returns every container of a synthesis. */
export function containersIn(synthesis: Synthesis): SynthesizedContainer[] {
  return containersOf([...synthesis].flatMap(([stack, json]) => resourcesOf(stack, json)));
}

/** Returns a function that looks up the resources on a Docker engine. */
export function resourcesByEngine(
  environment: Environment,
  synthesis: Synthesis,
): (engine: EngineAddress | undefined) => SynthesizedResource[] {
  return (engine) =>
    [...synthesis]
      .filter(([, json]) => isSameEngine(engineOfStack(environment, json), engine))
      .flatMap(([stack, json]) => resourcesOf(stack, json));
}

/**
 * Synthesizes another tree in a separate process without the cdktf CLI, from the files of the tree alone. Its main.ts may be of any
 * earlier commit, so it gets only these variables. DOCKER_HOST is unset, since a preview does not depend on an engine.
 */
export function synthesizeTree(tree: string, environment: string): Promise<Synthesis> {
  return readOutput(async (output) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ["-r", REGISTER, join(tree, "main.ts")],
      {
        cwd: tree,
        encoding: "utf8",
        env: {
          ...process.env,
          DOCKER_HOST: undefined,
          GROUNDWORK_ENV: environment,
          GROUNDWORK_WITHOUT_SECRETS: "confirmed",
          CDKTF_OUTDIR: output,
        },
      },
    );
    if (status !== 0) {
      const error = stderr.split("\n").find((line) => /^\s*\S*Error: /.test(line)) ?? stderr;
      throw new CommandError(error.replace(/^\s*\S*Error: /, "").trim());
    }
  });
}

/** Returns the stacks that are written to a temporary folder. */
async function readOutput(write: (output: string) => Promise<void>): Promise<Synthesis> {
  const output = mkdtempSync(join(tmpdir(), "groundwork-preview-"));
  try {
    await write(output);
    const { stacks } = JSON.parse(readFileSync(join(output, "manifest.json"), "utf8"));
    return new Map(
      Object.keys(stacks).map((name) => [
        name,
        JSON.parse(readFileSync(join(output, "stacks", name, "cdk.tf.json"), "utf8")),
      ]),
    );
  } finally {
    rmSync(output, { recursive: true });
  }
}

/** Checks out a revision into a temporary folder and removes it when `use` is done. */
export async function withRevision<T>(
  revision: string,
  use: (tree: string) => Promise<T>,
): Promise<T> {
  const tree = mkdtempSync(join(tmpdir(), "groundwork-base-"));
  try {
    const archive = execFileSync("git", ["archive", "--format=tar", revision], {
      cwd: PROJECT_ROOT,
      maxBuffer: 1024 * 1024 * 1024,
      stdio: ["ignore", "pipe", "pipe"],
    });
    execFileSync("tar", ["-x", "-C", tree], { input: archive });
    // Shares the installed dependencies, so that only declarations differ.
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(tree, "node_modules"));
    return await use(tree);
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    if (stderr === undefined) {
      throw error;
    }
    throw new CommandError(
      `git cannot check out --base "${revision}": ${String(stderr).trim().split("\n")[0]}; name a commit, branch or tag, and fetch it first in CI`,
    );
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/** Returns the names of a tree's environments. Earlier commits have those of the lab in environments/, too. */
export function environmentsOf(tree: string): string[] {
  const files = ["./environments/index.ts", "./lab/environments.ts"].filter((file) =>
    existsSync(join(tree, file)),
  );
  const script = `console.log(${JSON.stringify(files)}.flatMap((file) => Object.keys(require(file).environments)).join())`;
  return execFileSync(process.execPath, ["-r", REGISTER, "-e", script], {
    cwd: tree,
    encoding: "utf8",
  })
    .trim()
    .split(",");
}
