import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { stripVTControlCharacters } from "node:util";
import execa, { type ExecaError } from "execa";
import { InterruptedError } from "./terminal";

export interface StreamOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** File that the whole output is appended to. */
  readonly logFile: string;
  /** How a line is written to the file. @default - unchanged */
  readonly log?: (line: string) => string;
  /** Called with every line as it comes, without terminal codes. */
  readonly onLine: (line: string) => void;
}

let running = 0;
let interrupted = false;

// Ctrl-C reaches the child too: Terraform finishes its current operations and writes its state. Wait for that.
function wait(): void {
  if (!interrupted) {
    console.error("interrupted: waiting for Terraform to save its state ...");
  }
  interrupted = true;
}

/** Runs a command that works on the state, and returns its exit code. Throws InterruptedError after Ctrl-C, also if it interrupted another command. */
export async function stream(
  command: string,
  args: readonly string[],
  { cwd, env, logFile, log = (line) => line, onLine }: StreamOptions,
): Promise<number> {
  refuseInterrupted();
  mkdirSync(dirname(logFile), { recursive: true });
  const file = createWriteStream(logFile, { flags: "a" });
  const child = execa(command, args, {
    cwd,
    env,
    extendEnv: false,
    stdin: "ignore",
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  if (running++ === 0) {
    process.on("SIGINT", wait);
  }
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output as Readable }).on("line", (raw) => {
      const line = stripVTControlCharacters(raw);
      file.write(`${log(line)}\n`);
      onLine(line);
    });
  }
  try {
    await child;
    return 0;
  } catch (error) {
    const { exitCode, signal } = error as ExecaError;
    if (exitCode === undefined && signal === undefined) {
      // It did not start.
      throw error;
    }
    return exitCode ?? 1;
  } finally {
    await finished(file.end());
    if (--running === 0) {
      process.off("SIGINT", wait);
    }
    refuseInterrupted();
  }
}

function refuseInterrupted(): void {
  if (interrupted) {
    throw new InterruptedError(
      "interrupted. Terraform has saved its state: run the same command again to continue",
    );
  }
}
