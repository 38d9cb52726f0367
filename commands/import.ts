import { formatFiles } from "../operations/import/format";
import { type ImportOptions, importText } from "../operations/import/import-text";
import { readSource } from "../operations/import/source";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { CommandError, counted, firstOf } from "../operations/terminal/terminal";

/** Imports a file, or standard input for "-", and prints what was adapted and what is missing. */
export async function importFile(file: string | undefined, options: ImportOptions): Promise<void> {
  if (file === undefined && process.stdin.isTTY) {
    throw new CommandError(
      "npm run import needs a file: a Grafana dashboard, a Prometheus rule file or an index template; or send one to standard input",
    );
  }
  const { text, source } = await readSource(file);
  const { what, files, changes, lost } = importText(PROJECT_ROOT, text, source, options);
  const paths = [...files.keys()];
  formatFiles(PROJECT_ROOT, paths);
  console.log(`imported ${what}`);
  show("wrote", paths);
  show("adapted", changes);
  if (lost.length > 0) {
    show(`not imported (${counted(lost.length, "finding")})`, lost);
  }
  console.log("\nrun npm run preview to see what it changes, then npm run up");
}

function show(heading: string, items: readonly string[]): void {
  if (items.length > 0) {
    console.log([`${heading}:`, ...firstOf(items, 10).map((item) => `- ${item}`)].join("\n"));
  }
}
