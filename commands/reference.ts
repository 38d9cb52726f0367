// npm run reference: writes the tables of docs/reference/ out of the types and what is written at them.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "./support/cdktf";
import { exportedTypes, REFERENCE_PAGES, renderReference } from "./support/reference";
import { parseOptions, runCommand } from "./support/terminal";

runCommand(async () => {
  parseOptions();
  const folder = join(PROJECT_ROOT, "docs", "reference");
  const types = exportedTypes();
  mkdirSync(folder, { recursive: true });
  for (const page of Object.keys(REFERENCE_PAGES)) {
    writeFileSync(join(folder, `${page}.md`), renderReference(page, types));
  }
  console.log(`wrote ${Object.keys(REFERENCE_PAGES).length} pages in docs/reference/`);
});
