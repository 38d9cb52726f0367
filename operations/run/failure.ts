import { relative } from "node:path";
import { meaningOf, remedyOf } from "../../constructs/init-sidecar/exit-codes";
import { readSidecarRun } from "../../constructs/init-sidecar/run-log";
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

/** How much of a failed container's log is shown. */
const LOG_LINES = 15;

/** How much of a sidecar's log is read: its last run, with a line for each field that differs. */
const SIDECAR_LINES = 1000;

/** How many findings of a sidecar, and how many lines of an error, are shown. */
const MOST_LINES = 10;

/** Of every container that failed what its exit code means, why and what to do, then Terraform's errors about anything else. */
export async function failureOf(
  platform: Platform,
  errors: TerraformErrors["errors"],
  containers: readonly SynthesizedContainer[],
  logFile: string,
): Promise<CommandError> {
  const limits = new Map(containers.map(({ name, memory }) => [name, memory]));
  const states = await inspectContainers(platform, [...limits.keys()]);
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
 * The containers' explanations by name, Terraform's errors about anything else, the machines that are gone instead of what failed on them,
 * and where the rest is.
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
    `everything that Terraform said: ${logFile}`,
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
  return failure && `${name} ${failure}; its last lines:\n${await lines(LOG_LINES)}`;
}

/** Why a sidecar failed, from its log. @internal */
export function explainSidecar(name: string, exitCode: number, log: string): string {
  const { findings } = readSidecarRun(name, log);
  return [
    `${name} ended with ${exitCode}: ${meaningOf(exitCode)}`,
    ...firstOf(findings, MOST_LINES).map((finding) => `  ${finding}`),
    `  remedy: ${remedyOf(exitCode)}; its log: docker logs ${name}`,
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

/** What is wrong with a container that is to run on, or nothing. Of one that the engine has started again it is how it ended. @internal */
export function describeFailure(
  state: ContainerState,
  lastEnd: End | undefined,
  limitMiB: number,
): string | undefined {
  const { Status, ExitCode, OOMKilled, Health } = state.State;
  const again =
    state.RestartCount > 0
      ? `, restarted ${state.RestartCount === 1 ? "once" : `${state.RestartCount} times`}`
      : "";
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
      ? `it needed more than its limit of ${limitMiB} MiB and the kernel killed it: raise its tier in constructs/container/memory.ts`
      : describeServiceExit(end.exitCode);
    return `ended with ${end.exitCode}, ${meaning}${again}`;
  }
  return !Health || Status !== "running"
    ? undefined
    : `runs and is ${Health.Status}${again}: its health check says ${JSON.stringify(Health.Log?.at(-1)?.Output.trim() ?? "nothing")}`;
}

/** Codes of the shell and the kernel; a service's own mean what its log says. */
function describeServiceExit(code: number): string {
  const known: Readonly<Record<number, string>> = {
    126: "its command cannot be run",
    127: "its command is not in the image",
    137: "killed from outside",
    139: "it crashed",
    143: "terminated from outside",
  };
  return known[code] ?? "its log says why";
}
