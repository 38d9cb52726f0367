/** What the log of a sidecar says of its last run. */
export interface SidecarRun {
  /** What is wrong, a line each: every field that differs from its declaration, else why it failed; nothing after a success. */
  readonly findings: readonly string[];
  /** What holds in the cluster although nobody declares it, and stays. */
  readonly undeclared: readonly Undeclared[];
  /** Why it ended. */
  readonly reason: string;
  readonly created: number;
  readonly reconciled: number;
}

/** A field of a declared resource that its declaration leaves out. */
export interface Undeclared {
  readonly resource: string;
  readonly field: string;
  readonly actual: string;
}

/** What each sidecar provisions, unless a resource's name says it itself, as in application/orders. */
const RESOURCE: Readonly<Record<string, string>> = {
  "kafka-init": "topic",
  "os-init": "index template",
  "os-security": "application",
};

/** Reads the log of a sidecar, whose form README.md and lib.sh describe: a JSON object a line. */
export function readSidecarRun(sidecar: string, log: string): SidecarRun {
  const lines = log.split("\n").map(parse);
  const run = lines.slice(lines.findLastIndex((line) => line?.event === "start") + 1);
  const exit = run.find((line) => line?.event === "exit");
  const ignored = run.filter((line) => line?.event === "ignored").map(({ resource }) => resource);
  const drift = run
    .filter((line) => line?.event === "drift" && !ignored.includes(line.resource))
    .map(
      ({ resource, field, declared, actual }) =>
        `${resource.includes("/") ? "" : `${RESOURCE[sidecar]} `}${resource}: ${field} is ${actual}, declared ${declared}`,
    );
  const reason = exit?.reason ?? (log.trim().split("\n").at(-1) || "it has said nothing");
  return {
    findings: exit?.exit_code === 0 ? [] : drift.length > 0 ? drift : [reason],
    undeclared: run
      .filter((line) => line?.event === "undeclared")
      .map(({ resource, field, actual }) => ({ resource, field, actual })),
    reason,
    created: exit?.created ?? 0,
    reconciled: exit?.reconciled ?? 0,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a container prints
function parse(line: string): any {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
