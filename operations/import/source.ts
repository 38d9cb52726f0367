import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { decodeText, readTextFile } from "../../constructs/container/text-file";
import { CommandError } from "../terminal/terminal";
import { STANDARD_INPUT } from "./import-text";

/** What is imported, and its path, or `STANDARD_INPUT`. */
interface Source {
  readonly text: string;
  readonly source: string;
}

/** Reads a file, or standard input for "-" and none. Throws if there is none. */
export async function readSource(file = "-"): Promise<Source> {
  if (file === "-") {
    return { text: decodeText(await readInput(), STANDARD_INPUT), source: STANDARD_INPUT };
  }
  // npm changes the working directory to the project's.
  const asked = resolve(process.env.INIT_CWD ?? "", file);
  const source = !existsSync(asked) && existsSync(file) ? file : asked;
  if (!existsSync(source)) {
    throw new CommandError(`${source} does not exist: name a file, or send it to standard input`);
  }
  return { text: readTextFile(source, "the file"), source };
}

/** Waits for a slow sender: Node.js does not block on a pipe, so a synchronous read fails before the first byte. */
async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}
