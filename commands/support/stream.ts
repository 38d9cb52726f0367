import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { InterruptedError } from "./terminal";

export interface StreamOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where the whole output goes. */
  readonly logFile: string;
  /** Is told every line as it comes, without terminal codes. */
  readonly onLine?: (line: string) => void;
}

/** Runs a command that works on the state and returns its exit code. Throws when the user interrupts it. */
export function stream(
  command: string,
  args: readonly string[],
  { cwd, env, logFile, onLine }: StreamOptions,
): Promise<number> {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = createWriteStream(logFile, { flags: "a" });
  const child = spawn(command, [...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Ctrl-C reaches the child as well, which lets Terraform finish what it is doing and write its state. Wait for it.
  let interrupted = false;
  const wait = () => {
    interrupted = true;
    console.error("interrupted: waiting for Terraform to save its state ...");
  };
  process.on("SIGINT", wait);
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (raw) => {
      const line = stripVTControlCharacters(raw);
      log.write(`${line}\n`);
      onLine?.(line);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      process.off("SIGINT", wait);
      log.end();
      if (interrupted) {
        reject(
          new InterruptedError(
            "interrupted; the state is saved: run the same command again to go on",
          ),
        );
      } else {
        resolve(code ?? 1);
      }
    });
  });
}
