import execa, { type ExecaChildProcess } from "execa";
import type { EngineAddress } from "../../environments";

/** An engine; nothing is the one that the docker command finds. */
export type Engine = EngineAddress | undefined;

/** Runs the docker CLI and returns what it printed. */
export function docker(...args: string[]): Promise<string> {
  return dockerAt(undefined, ...args);
}

/** Runs the docker CLI at an engine and returns what it printed. */
export async function dockerAt(engine: Engine, ...args: string[]): Promise<string> {
  return (await runAt(engine, args)).stdout.trim();
}

function runAt(
  engine: Engine,
  args: readonly string[],
  options: { readonly reject?: boolean; readonly timeout?: number } = {},
): ExecaChildProcess {
  return execa("docker", args, { ...options, all: true, env: engineVariables(engine) });
}

/** The variables that lead a child process to an engine. */
export function engineVariables(engine: Engine): NodeJS.ProcessEnv {
  return {
    ...(engine && { DOCKER_HOST: engine.host }),
    ...(engine?.tls && {
      DOCKER_CERT_PATH: engine.tls.certPath,
      DOCKER_TLS_VERIFY: engine.tls.verify ? "1" : "",
    }),
  };
}

/** How many CPUs an engine's host has. */
export async function engineCpus(engine: Engine): Promise<number> {
  return Number(await dockerAt(engine, "info", "--format", "{{.NCPU}}"));
}

/** Stops containers, each as long as it asks for, and removes those that are there. */
export async function removeContainers(
  engine: Engine,
  containers: readonly string[],
): Promise<void> {
  if (containers.length > 0) {
    await tryDockerAt(engine, "stop", ...containers);
    await tryDockerAt(engine, "rm", ...containers);
  }
}

/** The last lines of a container's log, of both its streams, without the frames of a JVM's stack traces. */
export async function lastLines(engine: Engine, container: string, count: number): Promise<string> {
  const tail = String(FRAMES_PER_LINE * count);
  const { all = "" } = await runAt(engine, ["logs", "--tail", tail, container]);
  return all
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
export function tryDockerAt(engine: Engine, ...args: string[]): Promise<Outcome> {
  return outcomeOf(engine, args);
}

/** How long an engine that is well may take to answer, also over ssh. */
const PATIENCE_SECONDS = 15;

/** Where nobody knows yet whether the engine is well: one that is suspended, or behind a broken network, never answers. */
export function askEngine(engine: Engine, ...args: string[]): Promise<Outcome> {
  return outcomeOf(engine, args, PATIENCE_SECONDS * 1000);
}

async function outcomeOf(
  engine: Engine,
  args: readonly string[],
  timeout?: number,
): Promise<Outcome> {
  const finished = await runAt(engine, args, { reject: false, timeout });
  const { exitCode = 127, stdout, all = "", timedOut } = finished;
  const output = exitCode === 0 ? stdout : all;
  return { exitCode, output: timedOut ? `no answer within ${PATIENCE_SECONDS} s` : output.trim() };
}

/** Whether an engine is on this machine, as far as its address says. */
export function isLocalEngine(engine: Engine): boolean {
  return !engine || /^(unix|npipe):/.test(engine.host);
}

/** Terraform opens ten connections for a stack, which is as many as an sshd takes at once: one stack after the other there. */
export function isSshEngine(engine: Engine): boolean {
  return engine?.host.startsWith("ssh:") ?? false;
}
