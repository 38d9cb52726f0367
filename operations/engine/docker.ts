import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import execa, { type ExecaChildProcess } from "execa";
import type { EngineAddress } from "../../environments";
import { CommandError } from "../terminal/terminal";

/** The address of a Docker engine; undefined is the docker command's default. */
export type Engine = EngineAddress | undefined;

/** Runs the docker CLI and returns its output. Throws Docker's words if it fails. */
export function docker(...args: string[]): Promise<string> {
  return dockerAt(undefined, ...args);
}

/** Runs the docker CLI against an engine and returns its output. Throws Docker's words if it fails. */
export async function dockerAt(engine: Engine, ...args: string[]): Promise<string> {
  const outcome = await outcomeOf(engine, args);
  if (outcome.exitCode !== 0) {
    throw failureOf(engine, args, outcome);
  }
  return outcome.output;
}

/** Exit code of a program that is not installed. */
const NOT_FOUND = 127;

/** Returns what a failed command said. One that was killed says nothing of it, and has no exit code. */
function failedOutput(said: string, signal?: string): string {
  return [said.trim(), ...(signal ? [`ended by ${signal}`] : [])].join(" ").trim();
}

/** Shows only the first words of a command: others may be secrets. */
function failureOf(
  engine: Engine,
  args: readonly string[],
  { exitCode, output }: Outcome,
): CommandError {
  const words = args.slice(0, 2).filter((word) => !word.startsWith("-"));
  const command = ["docker", ...(engine ? ["--host", engine.host] : []), ...words].join(" ");
  return new CommandError(
    exitCode === NOT_FOUND && output === ""
      ? "the docker command is not on the PATH: install it (https://docs.docker.com/engine/install/)"
      : `${command}: ${output || `exit code ${exitCode}`}. If the Docker engine stopped answering, run the same command again when it is back`,
  );
}

interface RunOptions {
  readonly reject?: boolean;
  readonly timeout?: number;
  readonly input?: string;
}

function runAt(
  engine: Engine,
  args: readonly string[],
  options: RunOptions = {},
): ExecaChildProcess {
  const child = execa("docker", args, { ...options, all: true, env: engineVariables(engine) });
  // A command may end before it has read all its input. execa would report that in place of the exit code.
  child.stdin?.removeAllListeners("error").on("error", () => undefined);
  return child;
}

/** Returns the environment variables that point a child process at an engine. */
export function engineVariables(engine: Engine): NodeJS.ProcessEnv {
  return {
    ...(engine && { DOCKER_HOST: engine.host }),
    ...(engine?.tls && {
      DOCKER_CERT_PATH: engine.tls.certPath,
      // Without it, the docker command uses no TLS if it is not to verify the engine's certificate.
      DOCKER_TLS: "1",
      DOCKER_TLS_VERIFY: engine.tls.verify ? "1" : "",
    }),
  };
}

/** Returns the number of CPUs of an engine's host. */
export async function engineCpus(engine: Engine): Promise<number> {
  return Number(await dockerAt(engine, "info", "--format", "{{.NCPU}}"));
}

/** Stops containers, each with its own stop timeout, and removes them. Ignores those that do not exist. */
export async function removeContainers(
  engine: Engine,
  containers: readonly string[],
): Promise<void> {
  if (containers.length > 0) {
    await tryDockerAt(engine, "stop", ...containers);
    await tryDockerAt(engine, "rm", ...containers);
  }
}

/** Returns the last lines of a container's log, of both streams, without the frames of JVM stack traces. */
export async function lastLines(engine: Engine, container: string, count: number): Promise<string> {
  const tail = String(FRAMES_PER_LINE * count);
  const args = ["logs", "--tail", tail, container];
  const finished = await runAt(engine, args, { reject: false });
  const { exitCode = NOT_FOUND, all = "" } = finished;
  if (exitCode !== 0) {
    const output = failedOutput(all, finished.signal);
    throw failureOf(engine, ["logs", container], { exitCode, output });
  }
  return all
    .trim()
    .split("\n")
    .filter((line) => !/^\s+(at |\.\.\. \d+ more)/.test(line))
    .slice(-count)
    .join("\n");
}

/** The number of frames that are expected of a stack trace. */
const FRAMES_PER_LINE = 40;

/** The result of a finished command. */
export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs the docker CLI against an engine and returns its exit code and output, even if it fails. */
export function tryDockerAt(engine: Engine, ...args: string[]): Promise<Outcome> {
  return outcomeOf(engine, args);
}

/** Like `tryDockerAt` with a standard input, which other users of this machine cannot see, unlike arguments. */
export function tryDockerWithInput(
  engine: Engine,
  input: string,
  ...args: string[]
): Promise<Outcome> {
  return outcomeOf(engine, args, { input });
}

/** Like `tryDockerWithInput`, hands over each line of standard output as it comes, and keeps the standard input open until the command ends. */
export async function followDocker(
  engine: Engine,
  { input, onLine }: { readonly input: Buffer; readonly onLine: (line: string) => void },
  ...args: string[]
): Promise<Outcome> {
  const child = runAt(engine, args, { reject: false });
  child.stdin?.write(input);
  createInterface({ input: child.stdout as Readable }).on("line", onLine);
  const { exitCode = NOT_FOUND, stdout, stderr, signal } = await child;
  return { exitCode, output: exitCode === 0 ? stdout.trim() : failedOutput(stderr, signal) };
}

/** The longest that a healthy engine takes to answer, also over SSH. */
const PATIENCE_SECONDS = 15;

/** Like `tryDockerAt` with a timeout of 15 s, since an engine that is suspended or behind a broken network never answers. */
export function askEngine(engine: Engine, ...args: string[]): Promise<Outcome> {
  return outcomeOf(engine, args, { timeout: PATIENCE_SECONDS * 1000 });
}

async function outcomeOf(
  engine: Engine,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const finished = await runAt(engine, args, { ...options, reject: false });
  const { exitCode = NOT_FOUND, stdout, all = "", timedOut, signal } = finished;
  const output = exitCode === 0 ? stdout.trim() : failedOutput(all, signal);
  return { exitCode, output: timedOut ? `no answer within ${PATIENCE_SECONDS} s` : output };
}

/** Whether the address of an engine is on this machine. */
export function isLocalEngine(engine: Engine): boolean {
  return !engine || /^(unix|npipe):/.test(engine.host);
}

/** Over SSH, stacks run one at a time: Terraform opens ten connections per stack, as many as sshd accepts at once. */
export function isSshEngine(engine: Engine): boolean {
  return engine?.host.startsWith("ssh:") ?? false;
}
