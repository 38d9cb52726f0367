import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/root";

const CATALOG = join(ROOT, "catalog");

// Git has no empty folders, and the synth refuses a missing one.
test("every folder of the catalog stays in a clone without its files", () => {
  const folders = readdirSync(CATALOG, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect(folders).toEqual([
    "component-templates",
    "data-streams",
    "index-templates",
    "ingest-pipelines",
    "retention",
  ]);
  expect(folders.filter((name) => !existsSync(join(CATALOG, name, "README.md")))).toEqual([]);
});
