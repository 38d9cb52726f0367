/** What Terraform says it does to a resource. */
export type Doing = "creating" | "changing" | "destroying";

/** Something that happened, as told by a line of cdktf's or Terraform's output. */
export type DeployEvent =
  | { readonly kind: "begin"; readonly address: string; readonly doing: Doing }
  | { readonly kind: "end"; readonly address: string }
  | { readonly kind: "stack done"; readonly summary: string };

const BEGINNINGS: Readonly<Record<string, Doing>> = {
  Creating: "creating",
  Modifying: "changing",
  Destroying: "destroying",
};

/** The event that a line tells of; most tell of none. */
export function eventOf(line: string): DeployEvent | undefined {
  // cdktf adds the construct's path in parentheses.
  const [, address, what] = /(?<=^|\s)([a-z]\w*\.[\w-]+)(?: \([^()]*\))?: (.*)$/.exec(line) ?? [];
  if (address) {
    const [, beginning] = /^(Creating|Modifying|Destroying)\.\.\./.exec(what) ?? [];
    if (beginning) {
      return { kind: "begin", address, doing: BEGINNINGS[beginning] };
    }
    return /^(Creation|Modifications|Destruction) complete/.test(what)
      ? { kind: "end", address }
      : undefined;
  }
  const [, counts] = /(?:Apply|Destroy) complete! Resources: (.*)\.$/.exec(line) ?? [];
  return counts === undefined ? undefined : { kind: "stack done", summary: summaryOf(counts) };
}

/** `4 added, 0 changed, 1 destroyed` without the zeros. */
function summaryOf(counts: string): string {
  const some = counts.split(", ").filter((count) => !count.startsWith("0 "));
  return some.join(", ") || "no changes";
}

/** The stack that a line of cdktf begins with; those that follow it in one batch leave it out. */
export function stackOf(line: string, stacks: readonly string[]): string | undefined {
  return stacks.find((stack) => line.startsWith(`${stack} `));
}
