/** The exit codes of init sidecars, after sysexits.h, with their meaning and remedy. */
export const EXIT_CODES = {
  0: "done: everything declared is in place",
  65: "Kafka or OpenSearch rejects the declaration: correct what the log names, then deploy again",
  69: "the cluster was not ready before the deadline: check its containers, then deploy again",
  73: "a resource exists and differs from its declaration: change each field that the log names in the declaration or the cluster, or set onDrift",
  77: "not authorized: check the sidecar's credentials",
  78: "the sidecar is misconfigured: correct what its log names",
  137: "killed, usually because memory ran out: raise the job tier in constructs/container/memory.ts",
  143: "terminated from outside: deploy again",
} as const;

const UNKNOWN = "unexpected failure: read the log";

/** Returns what an exit code means, including unknown codes. */
export function meaningOf(code: number): string {
  return splitText(code)[0];
}

/** Returns what to do about an exit code. */
export function remedyOf(code: number): string {
  return splitText(code)[1];
}

function splitText(code: number): [string, string] {
  const text = (EXIT_CODES as Record<number, string>)[code] ?? UNKNOWN;
  const at = text.indexOf(": ");
  return [text.slice(0, at), text.slice(at + 2)];
}
