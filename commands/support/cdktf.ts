import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { CommandError } from "./terminal";
import { type TerraformBinary, terraformEnv } from "./terraform";

export const PROJECT_ROOT = join(__dirname, "..", "..");
const CDKTF = join(PROJECT_ROOT, "node_modules", ".bin", "cdktf");

export interface CdktfOptions {
  /** Name of the environment, for the app. */
  readonly environment: string;
  readonly terraform?: TerraformBinary;
  /** Further variables for the app. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where the whole output goes. */
  readonly logFile: string;
  /** Is told every line as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Runs the cdktf CLI and returns its exit code. Throws when the user interrupts it. */
export function cdktf(args: readonly string[], options: CdktfOptions): Promise<number> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile, { flags: "a" });
  const child = spawn(CDKTF, [...args], {
    cwd: PROJECT_ROOT,
    env: {
      ...terraformEnv(process.env),
      CHECKPOINT_DISABLE: "1",
      FORCE_COLOR: "0",
      GROUNDWORK_ENV: options.environment,
      ...(options.terraform && { TERRAFORM_BINARY_NAME: options.terraform.command }),
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Ctrl-C reaches the child as well, which lets Terraform finish what it is doing and write its state. Wait for it.
  let interrupted = false;
  const wait = () => {
    interrupted = true;
    console.error("interrupted: waiting for Terraform to save its state ...");
  };
  process.on("SIGINT", wait);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (raw) => {
      const line = stripTerminalCodes(raw);
      log.write(`${line}\n`);
      options.onLine?.(line);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      process.off("SIGINT", wait);
      log.end();
      if (interrupted) {
        reject(
          new CommandError("interrupted; the state is saved: run the same command again to go on"),
        );
      } else {
        resolve(code ?? 1);
      }
    });
  });
}

/** A line of Terraform about one resource, in short, or nothing for every other line. */
export function progressOf(line: string): string | undefined {
  const [, path, event] =
    /\(([^()]+?)(?:\/Resource)?\): ((?:Creating|Modifying|Destroying|Still|Creation|Modifications|Destruction)[^[]*)/.exec(
      line,
    ) ?? [];
  if (path) {
    return `${path}: ${event.trim()}`;
  }
  return /No changes\.|Apply complete!|Destroy complete!|^.*Plan: /.test(line)
    ? line.trim().replace(/\s{2,}/g, ": ")
    : undefined;
}

/** A resource of a synthesized stack. */
export interface SynthesizedResource {
  readonly stack: string;
  readonly type: string;
  readonly body: Record<string, unknown>;
}

/** Every resource of one type in the output of the last synth. */
export function synthesizedResources(type: string): SynthesizedResource[] {
  const stacks = join(PROJECT_ROOT, "cdktf.out", "stacks");
  const manifest = JSON.parse(
    readFileSync(join(PROJECT_ROOT, "cdktf.out", "manifest.json"), "utf8"),
  );
  return readdirSync(stacks)
    .filter((stack) => stack in manifest.stacks)
    .flatMap((stack) => {
      const { resource = {} } = JSON.parse(
        readFileSync(join(stacks, stack, "cdk.tf.json"), "utf8"),
      ) as { resource?: Record<string, Record<string, Record<string, unknown>>> };
      return Object.values(resource[type] ?? {}).map((body) => ({ stack, type, body }));
    });
}

function stripTerminalCodes(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal codes are control characters
  return line.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "");
}
