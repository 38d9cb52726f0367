// npm run reference: writes the tables of docs/reference/ out of the types and what is written at them, and out of the stacks.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { production } from "../environments/production";
import { renderPrincipals } from "../operations/documentation/principals";
import {
  exportedTypes,
  REFERENCE_PAGES,
  renderReference,
} from "../operations/documentation/reference";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { synthesizeProject } from "../operations/synthesis/tree";
import { parseOptions, runCommand } from "../operations/terminal/terminal";

runCommand(async () => {
  parseOptions();
  const folder = join(PROJECT_ROOT, "docs", "reference");
  const types = exportedTypes();
  mkdirSync(folder, { recursive: true });
  for (const page of Object.keys(REFERENCE_PAGES)) {
    writeFileSync(join(folder, `${page}.md`), renderReference(page, types));
  }
  writeFileSync(
    join(folder, "principals.md"),
    renderPrincipals(production, synthesizeProject(production)),
  );
  console.log(`wrote ${Object.keys(REFERENCE_PAGES).length + 1} pages in docs/reference/`);
});
