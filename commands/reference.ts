import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { production } from "../environments/production";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { synthesizeProject } from "../operations/synthesis/tree";
import type { GuidedCommand } from "../operations/terminal/command";
import { renderCommands } from "../tools/documentation/commands";
import { renderPrincipals } from "../tools/documentation/principals";
import { exportedTypes, REFERENCE_PAGES, renderReference } from "../tools/documentation/reference";

/** Generates docs/reference/ from types and their docstrings, the stacks, and the help of the program. */
export async function writeReference(program: GuidedCommand): Promise<void> {
  const folder = join(PROJECT_ROOT, "docs", "reference");
  const types = exportedTypes();
  mkdirSync(folder, { recursive: true });
  for (const page of Object.keys(REFERENCE_PAGES)) {
    writeFileSync(join(folder, `${page}.md`), renderReference(page, types));
  }
  writeFileSync(
    join(folder, "principals.md"),
    renderPrincipals(production, await synthesizeProject(production)),
  );
  writeFileSync(join(folder, "commands.md"), renderCommands(program));
  console.log(`wrote ${Object.keys(REFERENCE_PAGES).length + 2} pages in docs/reference/`);
}
