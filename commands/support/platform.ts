import { ValidationError } from "../../constructs/service/validation";
import { type Environment, environmentNamed } from "../../environments";
import { cdktf, PROJECT_ROOT, resourcesOf } from "./cdktf";
import { synthesizeTree } from "./changes/synthesis";
import { inspectMachine } from "./machine";
import { type Demand, demandOf, findProblems } from "./preflight";
import { logFileOf } from "./run";
import { CommandError } from "./terminal";
import type { TerraformBinary } from "./terraform";

/** The environment that GROUNDWORK_ENV names. */
export function currentEnvironment(name = process.env.GROUNDWORK_ENV): Environment {
  try {
    return environmentNamed(name);
  } catch (error) {
    throw error instanceof ValidationError ? new CommandError(error.message) : error;
  }
}

/** What the environment asks of a machine, without a synth by cdktf. */
export function demandOfEnvironment(environment: Environment): Demand {
  const resources = [...synthesizeTree(PROJECT_ROOT, environment.name)].flatMap(([stack, json]) =>
    resourcesOf(stack, json),
  );
  return demandOf(environment, resources);
}

/** Writes the stacks to cdktf.out, shows their warnings, or fails with the declaration's error. */
export async function synthesize(environment: Environment, env = {}): Promise<void> {
  const logFile = logFileOf(environment);
  const lines: string[] = [];
  const exitCode = await cdktf(["synth"], {
    environment: environment.name,
    logFile,
    env,
    onLine: (line) => lines.push(line),
  });
  if (exitCode !== 0) {
    const error = lines.find((line) => /^\s*\S*Error: /.test(line));
    throw new CommandError(error?.replace(/^\s*\S*Error: /, "") ?? lines.join("\n"));
  }
  for (const line of lines) {
    const [, warning] = /WARN \[.*?\]: (.*)/.exec(line) ?? [];
    if (warning) {
      console.warn(`warning: ${warning}`);
    }
  }
}

/** Fails with everything that stands in the way, before Terraform runs. */
export async function checkMachine(demand?: Demand): Promise<TerraformBinary> {
  const machine = await inspectMachine(demand);
  const problems = findProblems(machine, demand);
  if (problems.length > 0 || !machine.terraform) {
    throw new CommandError(
      ["nothing was changed, because:", ...problems.map((problem) => `- ${problem}`)].join("\n"),
    );
  }
  return machine.terraform;
}
