import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs the docker CLI, which follows DOCKER_HOST and contexts as the user set them up, and returns what it printed. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run("docker", args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** The last lines of a container's log, of both its streams, without the frames of a JVM's stack traces. */
export async function lastLines(container: string, count: number): Promise<string> {
  const tail = String(FRAMES_PER_LINE * count);
  const { stdout, stderr } = await run("docker", ["logs", "--tail", tail, container]);
  return `${stdout}${stderr}`
    .trim()
    .split("\n")
    .filter((line) => !/^\s+(at |\.\.\. \d+ more)/.test(line))
    .slice(-count)
    .join("\n");
}

/** How many frames a trace is expected to have. */
const FRAMES_PER_LINE = 40;

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
