import { followContext } from "../operations/engine/context";
import { inspectMachines } from "../operations/machine/machine";
import { askNeighbours } from "../operations/machine/neighbours";
import { checksOf } from "../operations/machine/preflight";
import { checkInputs, checkSecrets } from "../operations/machine/secrets";
import { currentDeclarations } from "../operations/synthesis/environment";
import { variablesOf } from "../operations/synthesis/inputs";
import { resourcesByEngine, synthesizeProject } from "../operations/synthesis/tree";
import { CommandError, table } from "../operations/terminal/terminal";

/** Prints all prerequisites of a deploy as a table. Throws with the remedies of those that are not met. */
export async function doctor(): Promise<void> {
  const [declared, catalog] = currentDeclarations();
  const environment = await followContext(declared);
  const secrets = await checkSecrets(environment, catalog.applications);
  // A synth tells what the machines need, and fails without secrets.
  const synthesis = secrets.some(({ problem }) => problem)
    ? undefined
    : await synthesizeProject(environment);
  const inspections = await inspectMachines(
    environment,
    synthesis && resourcesByEngine(environment, synthesis),
  );
  const checks = [
    ...checksOf(await askNeighbours(environment, inspections)),
    ...secrets,
    ...(synthesis ? checkInputs(environment, [...synthesis.values()].flatMap(variablesOf)) : []),
  ];
  const rows = checks.map(({ name, found, problem, warning }) => [
    ...[name, problem ? "NO" : warning ? "?" : "yes", found],
  ]);
  console.log(table([["prerequisite", "met", "found"], ...rows]));
  for (const warning of checks.flatMap((check) => check.warning ?? [])) {
    console.warn(`\nwarning: ${warning}`);
  }
  const problems = checks.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) {
    throw new CommandError(problems.map((problem) => `- ${problem}`).join("\n"));
  }
  console.log(
    `\nenvironment "${environment.name}" meets every prerequisite: deploy it with npm run up`,
  );
}
