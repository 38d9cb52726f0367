/** Exit codes of every init sidecar, after sysexits.h, and what they tell the operator. */
export const EXIT_CODES = {
  0: "done: everything declared is in place",
  65: "the server rejects the declaration: correct the topic or the template and deploy again",
  69: "the cluster was not ready before the deadline: look at its containers, then deploy again",
  73: "something exists and differs from its declaration: the log names each field; change the declaration, the cluster or onDrift",
  77: "not authorised: check the sidecar's credentials",
  78: "bad configuration of the sidecar itself: its log names the variable",
  137: "killed, by the kernel when memory ran out: raise the job tier in constructs/container/memory.ts",
  143: "terminated from outside: deploy again",
} as const;

const UNKNOWN = "an unexpected failure: read the log";

/** What an exit code of a sidecar means, for codes that it does not give itself too. */
export function meaningOf(code: number): string {
  return splitText(code)[0];
}

/** What to do about it. */
export function remedyOf(code: number): string {
  return splitText(code)[1];
}

function splitText(code: number): [string, string] {
  const text = (EXIT_CODES as Record<number, string>)[code] ?? UNKNOWN;
  const at = text.indexOf(": ");
  return [text.slice(0, at), text.slice(at + 2)];
}
