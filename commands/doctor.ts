import { followContext } from "../operations/engine/context";
import { inspectMachines } from "../operations/machine/machine";
import { askNeighbours } from "../operations/machine/neighbours";
import { checksOf } from "../operations/machine/preflight";
import { checkInputs, checkSecrets } from "../operations/machine/secrets";
import { currentDeclarations } from "../operations/synthesis/environment";
import { variablesOf } from "../operations/synthesis/inputs";
import { resourcesByEngine, synthesizeProject } from "../operations/synthesis/tree";
import { CommandError, table } from "../operations/terminal/terminal";

/** Prints every prerequisite of a deploy in one table, and throws with what to do about those that fail. */
export async function doctor(): Promise<void> {
  const [declared, catalog] = currentDeclarations();
  const environment = await followContext(declared);
  const secrets = await checkSecrets(environment, catalog.applications);
  // Without them there is no synth, which tells what the machine has to have.
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
  console.log(table([["prerequisite", "holds", "found"], ...rows]));
  for (const warning of checks.flatMap((check) => check.warning ?? [])) {
    console.warn(`\nwarning: ${warning}`);
  }
  const problems = checks.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) {
    throw new CommandError(problems.map((problem) => `- ${problem}`).join("\n"));
  }
  console.log(
    `\nevery prerequisite of environment "${environment.name}" holds: npm run up deploys it`,
  );
}
