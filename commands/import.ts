import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { decodeText, readTextFile } from "../constructs/container/text-file";
import { formatFiles } from "../operations/import/format";
import { type ImportOptions, importText, STANDARD_INPUT } from "../operations/import/import-text";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { CommandError, counted, firstOf } from "../operations/terminal/terminal";

/** Imports a file, or standard input for "-", and prints what was adapted and what is missing. */
export async function importFile(file: string | undefined, options: ImportOptions): Promise<void> {
  if (file === undefined && process.stdin.isTTY) {
    throw new CommandError(
      "npm run import needs a file: a Grafana dashboard, a Prometheus rule file or an index template; or send one to standard input",
    );
  }
  const fromInput = file === undefined || file === "-";
  // npm changes the working directory to the project's.
  const asked = resolve(process.env.INIT_CWD ?? "", file ?? "");
  const source = fromInput ? STANDARD_INPUT : !existsSync(asked) && existsSync(file) ? file : asked;
  if (!fromInput && !existsSync(source)) {
    throw new CommandError(`${source} does not exist: name a file, or send it to standard input`);
  }
  const text = fromInput
    ? decodeText(await readInput(), STANDARD_INPUT)
    : readTextFile(source, "the file");
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

/** Waits for a slow sender: Node.js does not block on a pipe, so a synchronous read fails before the first byte. */
async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

function show(heading: string, items: readonly string[]): void {
  if (items.length > 0) {
    console.log([`${heading}:`, ...firstOf(items, 10).map((item) => `- ${item}`)].join("\n"));
  }
}
