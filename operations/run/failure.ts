import { relative } from "node:path";
import { meaningOf, remedyOf } from "../../constructs/init-sidecar/exit-codes";
import { newestReason, readSidecarRun } from "../../constructs/init-sidecar/run-log";
import { isSameEngine } from "../../stacks/placement";
import { lastLines } from "../engine/docker";
import { type ContainerState, type End, inspectContainers, lastEnds } from "../platform/containers";
import { askEveryEngine, type GoneEngine } from "../platform/engines";
import type { Platform } from "../platform/platform";
import type { SynthesizedContainer } from "../synthesis/container";
import { PROJECT_ROOT } from "../synthesis/project";
import { nameOf } from "../synthesis/resources";
import type { Stack } from "../synthesis/synthesize";
import { CommandError, firstOf } from "../terminal/terminal";
import type { TerraformErrors } from "../terraform/terraform";

/** The number of log lines shown for a failed container. */
const LOG_LINES = 15;

/** The number of log lines read of a sidecar: enough for its last run with a line for each drifted field. */
const SIDECAR_LINES = 1000;

/** The number of findings of a sidecar, or lines of an error, that are shown. */
const MOST_LINES = 10;

/** Explains every failed container: its exit code, the cause and the remedy. Adds Terraform's other errors. */
export async function failureOf(
  platform: Platform,
  errors: TerraformErrors["errors"],
  containers: readonly SynthesizedContainer[],
  logFile: string,
): Promise<CommandError> {
  const limits = new Map(containers.map(({ name, memory }) => [name, memory]));
  const { states } = await inspectContainers(platform, [...limits.keys()]);
  const ends = await lastEnds(platform);
  const explanations = new Map<string, string>();
  for (const state of states) {
    const name = state.Name.slice(1);
    const explanation = await explain(platform, state, ends.get(name), limits.get(name) ?? 0);
    if (explanation !== undefined) {
      explanations.set(name, explanation);
    }
  }
  const { gone } = await askEveryEngine(platform, "version");
  return new CommandError(
    renderFailure(errors, explanations, relative(PROJECT_ROOT, logFile), gone),
  );
}

/**
 * Renders the explanations of containers, Terraform's other errors and the path of its log. A machine whose engine is gone replaces
 * all errors on it.
 *
 * @internal
 */
export function renderFailure(
  errors: TerraformErrors["errors"],
  explanations: ReadonlyMap<string, string>,
  logFile: string,
  gone: readonly GoneEngine[] = [],
): string {
  const others = errors.flatMap(({ stack, address, summary, detail }) => {
    if (gone.some(({ engine }) => isSameEngine(engine, stack.engine))) {
      return [];
    }
    const name = address && nameOf(stack.resources, address);
    return name && explanations.has(name) ? [] : [describeError(stack, name, summary, detail)];
  });
  return [
    ...explanations.values(),
    ...new Set(others),
    ...gone.map(({ description }) => description),
    `Terraform's full log: ${logFile}`,
  ].join("\n");
}

async function explain(
  platform: Platform,
  state: ContainerState,
  lastEnd: End | undefined,
  limitMiB: number,
): Promise<string | undefined> {
  const name = state.Name.slice(1);
  const { Status, ExitCode, Health } = state.State;
  const lines = (count: number) => lastLines(platform.engineOf(name), name, count);
  if (!Health) {
    return Status === "exited" && ExitCode > 0
      ? explainSidecar(name, ExitCode, await lines(SIDECAR_LINES))
      : undefined;
  }
  const failure = describeFailure(state, lastEnd, limitMiB);
  return failure && explainService(name, failure, await lines(LOG_LINES));
}

/** Explains from its log why a service failed. Of a sidecar, which says the same at each attempt, only the newest reason. @internal */
export function explainService(name: string, failure: string, log: string): string {
  const reason = newestReason(log);
  return reason === undefined
    ? `${name} ${failure}; last lines of its log:\n${log}`
    : `${name} ${failure}\n  ${reason}\n  log: docker logs ${name}`;
}

/** Explains from its log why a sidecar failed. @internal */
export function explainSidecar(name: string, exitCode: number, log: string): string {
  const { findings } = readSidecarRun(name, log);
  return [
    `${name} exited with ${exitCode}: ${meaningOf(exitCode)}`,
    ...firstOf(findings, MOST_LINES).map((finding) => `  ${finding}`),
    `  remedy: ${remedyOf(exitCode)}; log: docker logs ${name}`,
  ].join("\n");
}

function describeError(
  { layer }: Stack,
  name: string | undefined,
  summary: string,
  detail: string,
): string {
  const more = firstOf(
    detail.split("\n").filter((line) => line.trim() !== ""),
    MOST_LINES,
  );
  return [
    [layer, name, summary].filter(Boolean).join(": "),
    ...more.map((line) => `  ${line.trim()}`),
  ].join("\n");
}

/** Describes what is wrong with a service, or how it ended before the engine restarted it; undefined if it is healthy. @internal */
export function describeFailure(
  state: ContainerState,
  lastEnd: End | undefined,
  limitMiB: number,
): string | undefined {
  const { Status, ExitCode, OOMKilled, Health } = state.State;
  const restarts = state.RestartCount === 1 ? "once" : `${state.RestartCount} times`;
  const again = state.RestartCount > 0 ? ` (restarted ${restarts})` : "";
  if (Health?.Status === "healthy" && Status === "running") {
    return undefined;
  }
  const end =
    Status === "restarting" || Status === "exited"
      ? { exitCode: ExitCode, oomKilled: OOMKilled }
      : state.RestartCount > 0
        ? lastEnd
        : undefined;
  if (end) {
    const meaning = end.oomKilled
      ? `out of memory, killed by the kernel at its limit of ${limitMiB} MiB; raise its tier in constructs/container/memory.ts`
      : SERVICE_EXITS[end.exitCode];
    return `exited with ${end.exitCode}${again}${meaning ? `: ${meaning}` : ""}`;
  }
  if (!Health || Status !== "running") {
    return undefined;
  }
  const health = Health.Status === "starting" ? "is still starting" : `is ${Health.Status}`;
  const output = Health.Log?.at(-1)?.Output.trim();
  return `${health}${again}: its health check ${output ? `says ${JSON.stringify(output)}` : "printed nothing"}`;
}

/** Meanings of the shell's and the kernel's exit codes. A service's own are explained by its log. */
const SERVICE_EXITS: Readonly<Record<number, string>> = {
  126: "its command is not executable",
  127: "its command is not in the image",
  137: "killed from outside (SIGKILL)",
  139: "crashed (SIGSEGV)",
  143: "terminated from outside (SIGTERM)",
};
