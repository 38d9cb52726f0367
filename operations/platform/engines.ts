import type { Machine } from "../../environments";
import { engineAt, includedMachinesOf } from "../../stacks/placement";
import { askEngine, type Engine, type Outcome } from "../engine/docker";
import type { Platform } from "./platform";

/** An engine that stopped answering, with the message for the user. */
export interface GoneEngine {
  readonly engine: Engine;
  readonly description: string;
}

/** Runs the same docker command against every engine of the platform. */
export async function askEveryEngine(
  { environment }: Platform,
  ...args: string[]
): Promise<{ readonly answers: readonly string[]; readonly gone: readonly GoneEngine[] }> {
  const outcomes = await Promise.all(
    includedMachinesOf(environment).map(async (machine) => ({
      machine,
      outcome: await askEngine(engineAt(environment, machine), ...args),
    })),
  );
  return {
    answers: outcomes
      .filter(({ outcome }) => outcome.exitCode === 0)
      .map(({ outcome }) => outcome.output),
    gone: outcomes
      .filter(({ outcome }) => outcome.exitCode !== 0)
      .map(({ machine, outcome }) => goneEngine(engineAt(environment, machine), machine, outcome)),
  };
}

/** Describes an engine by its answer to a command that only fails if the engine is gone. */
export function goneEngine(
  engine: Engine,
  machine: Machine | undefined,
  outcome: Outcome,
): GoneEngine {
  return { engine, description: describe(machine?.name, outcome) };
}

function describe(machine: string | undefined, { output }: Outcome): string {
  const cause = output.split("\n").at(-1);
  return machine === undefined
    ? `the Docker engine stopped answering: ${cause}; run the same command again when it is back`
    : `machine ${machine}: the Docker engine stopped answering: ${cause}; run the same command again when it is back, or deploy without it: npm run up -- --exclude-machine ${machine}`;
}
