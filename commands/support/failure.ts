import { describeExitCode, EXIT_CODES } from "../../constructs/init-sidecar/exit-codes";
import type { SynthesizedResource } from "./cdktf";
import { lastLines } from "./docker";
import type { ContainerState } from "./progress/status";
import { inspectContainers } from "./progress/watch";
import { CommandError } from "./terminal";

/** How much of a failed container's log is shown. */
const LOG_LINES = 15;

/** How many lines after an error's first say more about it. */
const ERROR_DETAIL_LINES = 6;

/** cdktf's own counts, and where in the synthesized JSON a resource stands. */
const NOISE = /Stacks? deploying|^with \w+\.|^on cdk\.tf\.json|^\d+: /;

/** Collects the errors of cdktf's or Terraform's output, line by line. */
export function collectErrors(errors: string[]): (line: string) => void {
  let detail = 0;
  return (line) => {
    const [error] = /(?<=^|\s)(Error: |Error running command).*/.exec(line) ?? [];
    // Terraform draws a frame around its errors.
    const text = line.replace(/^[\s│╷╵]+/, "").trimEnd();
    if (error) {
      errors.push(error);
      detail = ERROR_DETAIL_LINES;
    } else if (detail > 0 && text !== "" && !NOISE.test(text)) {
      errors.push(`  ${text}`);
      detail--;
    }
  };
}

/** Terraform's errors, and of every container that failed what its exit code means and the end of its log. */
export async function failureOf(
  errors: readonly string[],
  containers: readonly SynthesizedResource[],
  logFile: string,
): Promise<CommandError> {
  const limits = new Map(
    containers.map(({ body }) => [body.name as string, body.memory as number]),
  );
  const states = await inspectContainers([...limits.keys()]);
  const explanations = await Promise.all(
    states.map(async (state) => {
      const name = state.Name.slice(1);
      const failure = describeFailure(state, limits.get(name) ?? 0);
      if (failure === undefined) {
        return [];
      }
      return `${name} ${failure}; its last lines:\n${await lastLines(name, LOG_LINES)}`;
    }),
  );
  return new CommandError(
    [...new Set(errors), ...explanations.flat(), `the whole output is in ${logFile}`].join("\n"),
  );
}

/** What is wrong with a container, or nothing. */
export function describeFailure(state: ContainerState, limitMiB: number): string | undefined {
  const { Status, ExitCode, OOMKilled, Health } = state.State;
  if (!Health) {
    return Status === "exited" && ExitCode > 0
      ? `ended with ${ExitCode}, ${describeExitCode(ExitCode)}`
      : undefined;
  }
  const again = state.RestartCount > 0 ? `, restarted ${state.RestartCount} times` : "";
  if (Status === "restarting" || Status === "exited" || state.RestartCount > 0) {
    const meaning = OOMKilled
      ? `it needed more than its limit of ${limitMiB} MiB and the kernel killed it: raise its tier in constructs/service/memory.ts`
      : describeServiceExit(ExitCode);
    return Health.Status === "healthy" ? undefined : `ended with ${ExitCode}, ${meaning}${again}`;
  }
  return Health.Status === "healthy" || Status !== "running"
    ? undefined
    : `runs and is ${Health.Status}: its health check says ${JSON.stringify(Health.Log?.at(-1)?.Output.trim() ?? "nothing")}`;
}

/** Codes of the shell and the kernel; a service's own mean what its log says. */
function describeServiceExit(code: number): string {
  const known: Readonly<Record<number, string>> = {
    126: "its command cannot be run",
    127: "its command is not in the image",
    137: "killed from outside",
    139: "it crashed",
    143: EXIT_CODES[143],
  };
  return known[code] ?? "its log says why";
}
