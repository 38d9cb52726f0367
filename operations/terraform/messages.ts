/** An operation of Terraform on a resource. */
export type Doing = "creating" | "changing" | "destroying";

/** A line of Terraform's `-json` output that is used (https://developer.hashicorp.com/terraform/internals/machine-readable-ui). */
export type Message =
  | { readonly kind: "planned"; readonly address: string; readonly action: string }
  | { readonly kind: "begin"; readonly address: string; readonly doing: Doing }
  | { readonly kind: "end"; readonly address: string }
  | { readonly kind: "applied"; readonly counts: Readonly<Record<Doing, number>> }
  | ({ readonly kind: "error" } & Diagnostic);

/** An error of Terraform. */
export interface Diagnostic {
  readonly summary: string;
  readonly detail: string;
  /** Address of the resource that caused it. */
  readonly address?: string;
}

const DOING: Readonly<Record<string, Doing>> = {
  create: "creating",
  update: "changing",
  delete: "destroying",
};

/** Parses a line of output. Returns undefined for lines that are not used, which are most. */
export function messageOf(line: string): Message | undefined {
  const json = parse(line);
  switch (json?.type) {
    case "planned_change":
      return { kind: "planned", address: json.change.resource.addr, action: json.change.action };
    case "apply_start": {
      const doing = DOING[json.hook.action];
      return doing && { kind: "begin", address: json.hook.resource.addr, doing };
    }
    case "apply_complete":
      return { kind: "end", address: json.hook.resource.addr };
    case "change_summary": {
      const { operation, add, change, remove } = json.changes;
      return operation === "plan"
        ? undefined
        : { kind: "applied", counts: { creating: add, changing: change, destroying: remove } };
    }
    case "diagnostic": {
      const { severity, summary, detail = "", address } = json.diagnostic;
      return severity === "error" ? { kind: "error", summary, detail, address } : undefined;
    }
    default:
      return undefined;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever Terraform or a provider prints
function parse(line: string): any {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
