// npm run doctor: every prerequisite of a deploy in one table, and what to do about those that fail.

import { inspectMachine } from "./support/machine";
import { currentEnvironment, demandOfEnvironment } from "./support/platform";
import { diagnose } from "./support/preflight";
import { CommandError, parseOptions, runCommand, table } from "./support/terminal";

runCommand(async () => {
  parseOptions();
  const demand = demandOfEnvironment(currentEnvironment());
  const checks = diagnose(await inspectMachine(demand), demand);
  const rows = checks.map(({ name, found, problem }) => [name, problem ? "NO" : "yes", found]);
  console.log(table([["prerequisite", "holds", "found"], ...rows]));
  const problems = checks.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) {
    throw new CommandError(problems.map((problem) => `- ${problem}`).join("\n"));
  }
});
