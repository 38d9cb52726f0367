import type { Json } from "../synthesis/tree";

/** The words of curl about an HTTP error. They are in the same stream as the response: before, after or inside it. */
const HTTP_ERROR = /curl: \(22\) The requested URL returned error: \d{3}\n?/;

/** The class with which the reason of a wrapped exception starts. */
const EXCEPTION_CLASS = /^(?:[a-z0-9_]+\.)+[\w$]+: /;

/** Parses a response. Returns undefined if it is no JSON, such as the text of a node that starts. */
export function jsonIn(output: string): Json | undefined {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

/** Returns the innermost reason of a failed request, or the whole output if it has none. */
export function reasonIn(output: string): string {
  let cause = jsonIn(output.replace(HTTP_ERROR, ""))?.error;
  let reason: string | undefined;
  while (cause) {
    reason = cause.reason ?? reason;
    cause = cause.caused_by;
  }
  return reason?.replace(EXCEPTION_CLASS, "") ?? (output || "no answer");
}
