// npm run migrate-state: after environments/<environment>.ts has got another `state`, puts the local state of every stack there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "./support/cdktf";
import { migrateState } from "./support/migrate-state";
import { currentEnvironment, synthesize } from "./support/platform";
import { CommandError, parseOptions, runCommand, table } from "./support/terminal";
import { detectTerraform } from "./support/terraform";

runCommand(async () => {
  parseOptions();
  const environment = currentEnvironment();
  if (!environment.state || environment.state.kind === "local") {
    throw new CommandError(
      `environment "${environment.name}" keeps its state on this machine: set state in environments/${environment.name}.ts first`,
    );
  }
  const terraform = detectTerraform();
  if (!terraform) {
    throw new CommandError("neither terraform nor tofu is on the PATH: install one of them");
  }
  await synthesize(environment);
  const { stacks } = JSON.parse(
    readFileSync(join(PROJECT_ROOT, "cdktf.out", "manifest.json"), "utf8"),
  );
  const rows: string[][] = [["stack", "state"]];
  for (const stack of Object.keys(stacks)) {
    const layer = stack.slice(environment.name.length + 1);
    const outcome = await migrateState(
      join(PROJECT_ROOT, "cdktf.out", "stacks", stack),
      join(PROJECT_ROOT, ".state", environment.name, `${layer}.tfstate`),
      terraform,
    );
    rows.push([stack, outcome]);
  }
  console.log(table(rows));
});
