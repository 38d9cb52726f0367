import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs the docker CLI, which follows DOCKER_HOST and contexts as the user set them up, and returns what it printed. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run("docker", args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** What a finished command left behind. */
export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

/** The same for a command whose failure is an answer. */
export async function tryDocker(...args: string[]): Promise<Outcome> {
  try {
    return { exitCode: 0, output: await docker(...args) };
  } catch (error) {
    const {
      code,
      stdout = "",
      stderr = "",
    } = error as {
      code?: unknown;
      stdout?: string;
      stderr?: string;
    };
    return {
      exitCode: typeof code === "number" ? code : 127,
      output: `${stdout}${stderr}`.trim(),
    };
  }
}
