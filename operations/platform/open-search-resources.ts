import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import { jsonIn, type Send } from "./shard-allocation";

/** A priority that no template has: OpenSearch refuses to simulate a template with the priority of an existing one. */
const PROBE_PRIORITY = 2_000_000_011;

/** How curl reports an HTTP error. */
const HTTP_ERROR = /The requested URL returned error: (\d{3})/;

/** Reads templates, pipelines and the objects of the security plugin, and simulates templates. Changes nothing. */
export class OpenSearchResources {
  constructor(
    private readonly send: Send,
    private readonly node: string,
  ) {}

  /** Returns what a path of the REST API has, or undefined if that does not exist. Throws if OpenSearch does not answer. */
  async read(path: string): Promise<Json | undefined> {
    const answer = await this.ask({ path });
    if (answer.status === 404) {
      return undefined;
    }
    if (answer.json === undefined) {
      throw new CommandError(`OpenSearch does not answer ${path}: ${answer.output}`);
    }
    return answer.json;
  }

  /** Returns what new indices of an existing template get. */
  simulateExisting(name: string): Promise<Json> {
    return this.simulated(`/_index_template/_simulate/${name}?filter_path=template`);
  }

  /** Returns what a new index gets, from whichever template applies to it. */
  simulateIndex(index: string): Promise<Json> {
    return this.simulated(
      `/_index_template/_simulate_index/${encodeURIComponent(index)}?filter_path=template`,
    );
  }

  /** Returns what new indices of a template would get, or the reason why OpenSearch rejects the template. */
  async simulate(template: Json): Promise<Json | string> {
    const path = "/_index_template/_simulate?filter_path=template";
    const body = { ...template, priority: PROBE_PRIORITY };
    const { status, json, output } = await this.ask({ method: "POST", path, body });
    if (json === undefined && status !== 400) {
      throw new CommandError(`OpenSearch does not simulate a template: ${output}`);
    }
    return json?.template ?? (status === 400 ? reasonIn(output) : {});
  }

  private async simulated(path: string): Promise<Json> {
    const { json, output } = await this.ask({ method: "POST", path });
    if (json === undefined) {
      throw new CommandError(`OpenSearch does not answer ${path}: ${output}`);
    }
    return json.template ?? {};
  }

  private async ask(
    request: Omit<Parameters<Send>[1], "as">,
  ): Promise<{ readonly status?: number; readonly json?: Json; readonly output: string }> {
    const { exitCode, output } = await this.send(this.node, { as: "administrator", ...request });
    const [, status] = HTTP_ERROR.exec(output) ?? [];
    return {
      status: status === undefined ? undefined : Number(status),
      json: exitCode === 0 ? jsonIn(output) : undefined,
      output: output || "no answer",
    };
  }
}

/** Returns the innermost reason of an error, or the whole text if it has none. */
function reasonIn(output: string): string {
  let cause = jsonIn(output.replace(/curl: \(22\).*$/s, ""))?.error;
  while (cause?.caused_by) {
    cause = cause.caused_by;
  }
  return cause?.reason ?? output;
}
