/** The last run of a sidecar, from its log. */
export interface SidecarRun {
  /** A line for each differing field and for each refused change, or else the reason of the failure. Empty after a success. */
  readonly findings: readonly string[];
  /** The configs that are set in the cluster but not declared. */
  readonly undeclared: readonly Undeclared[];
  /** What the user should know, and is no finding: what happens to the indices that a policy manages. */
  readonly notes: readonly string[];
  /** Why the run ended. */
  readonly reason: string;
  readonly created: number;
  readonly reconciled: number;
}

/** A field of a declared resource that is not declared. */
export interface Undeclared {
  readonly resource: string;
  readonly field: string;
  readonly actual: string;
}

/** What each sidecar provisions, unless the resource's name says so, as in application/orders. */
const RESOURCE: Readonly<Record<string, string>> = {
  "kafka-init": "topic",
  "os-init": "index template",
  "os-security": "application",
};

/** Parses the log of a sidecar, one JSON object per line. lib.sh describes its fields. */
export function readSidecarRun(sidecar: string, log: string): SidecarRun {
  const lines = log.split("\n").map(parse);
  const run = lines.slice(lines.findLastIndex((line) => line?.event === "start") + 1);
  const exit = run.find((line) => line?.event === "exit");
  const ignored = run.filter((line) => line?.event === "ignored").map(({ resource }) => resource);
  const named = (resource: string) =>
    resource.includes("/") ? resource : `${RESOURCE[sidecar]} ${resource}`;
  const drift = [
    ...run
      .filter((line) => line?.event === "drift" && !ignored.includes(line.resource))
      .map(
        ({ resource, field, declared, actual }) =>
          `${named(resource)}: ${field} is ${actual}, declared ${declared}`,
      ),
    // Such as fewer partitions, with the way to do it.
    ...run
      .filter((line) => line?.event === "drifted" && line.reason?.startsWith("not "))
      .map(({ resource, reason }) => `${named(resource)}: ${reason}`),
  ];
  const reason = exit?.reason ?? (log.trim().split("\n").at(-1) || "it logged nothing");
  return {
    findings: exit?.exit_code === 0 ? [] : drift.length > 0 ? drift : [reason],
    undeclared: run
      .filter((line) => line?.event === "undeclared")
      .map(({ resource, field, actual }) => ({ resource, field, actual })),
    notes: run
      .filter((line) => line?.event === "managed_indices")
      .map(({ resource, reason }) => `${named(resource)}: ${reason}`),
    reason,
    created: exit?.created ?? 0,
    reconciled: exit?.reconciled ?? 0,
  };
}

/** Returns the newest reason in the log of a sidecar, which may be that of its former run. Returns undefined if the log has none. */
export function newestReason(log: string): string | undefined {
  return log
    .split("\n")
    .map(parse)
    .findLast((line) => line?.reason !== undefined)?.reason;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a container prints
function parse(line: string): any {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
