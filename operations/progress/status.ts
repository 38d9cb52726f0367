import type { ContainerState } from "../platform/containers";

const MOST_CHARACTERS = 200;

/** Describes the status of a container that a deploy waits for, from its state and the last line of its log. */
export function statusOf({ State, RestartCount, Config }: ContainerState, lastLine = ""): string {
  if (State.Status === "created") {
    return "created, not started yet";
  }
  if (RestartCount > 0) {
    const times = RestartCount === 1 ? "once" : `${RestartCount} times`;
    // The exit code is 0 while the container runs again.
    const code = State.ExitCode === 0 ? "" : `, last exit code ${State.ExitCode}`;
    return `restarted ${times}${code}: ${sidecarStatus(lastLine)}`;
  }
  if (!State.Health) {
    return sidecarStatus(lastLine);
  }
  if (State.Health.Status === "healthy") {
    return "healthy";
  }
  if (parse(lastLine)?.event === "retry") {
    return sidecarStatus(lastLine);
  }
  const last = State.Health.Log?.at(-1);
  return last === undefined
    ? "starting"
    : healthStatus(last.Output, Config.Healthcheck?.Test ?? []);
}

/** Describes a sidecar, which logs what it waits for. */
function sidecarStatus(line: string): string {
  const entry = parse(line);
  switch (entry?.event) {
    case "retry":
      return `attempt ${entry.attempt} failed, next in ${Math.ceil(entry.delay_ms / 1000)} s: ${brief(entry.reason)}`;
    case "start":
      return "started";
    case "exit":
      return brief(entry.reason);
    case undefined:
      return brief(line) || "starting";
    default:
      return brief([entry.event, entry.resource].filter(Boolean).join(" "));
  }
}

/** Describes a failing health check. OpenSearch's check prints the cluster health; other output is shown as it is. */
function healthStatus(output: string, check: readonly string[]): string {
  const health = parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1));
  if (health?.number_of_nodes !== undefined) {
    const [, wanted] = /wait_for_nodes=%3E%3D(\d+)/.exec(check.join(" ")) ?? [];
    const isShort = health.number_of_nodes < Number(wanted);
    return `${health.number_of_nodes}${isShort ? ` of ${wanted}` : ""} nodes joined, status ${health.status}`;
  }
  return /refused|Failed to connect|Couldn't connect/.test(output)
    ? "starting: no answer yet"
    : `starting: ${brief(output) || "health check fails"}`;
}

// biome-ignore lint/suspicious/noExplicitAny: a container may print anything
function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the last line that is not empty, shortened. */
function brief(text: string): string {
  const line = text.trim().split("\n").at(-1)?.trim() ?? "";
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line;
}
