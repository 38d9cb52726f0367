import type { Kind } from "../../constructs/opensearch/declared-resource";
import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import { jsonIn, reasonIn } from "./open-search-answer";
import type { Send } from "./shard-allocation";

/** A priority that no template has: OpenSearch refuses to simulate a template with the priority of an existing one. */
const PROBE_PRIORITY = 2_000_000_011;

/** How curl reports an HTTP error. */
const HTTP_ERROR = /The requested URL returned error: (\d{3})/;

const SECURITY_API = "/_plugins/_security/api";

/** Whether OpenSearch answers that it does not know a path, since it has no such plugin. */
const isWithoutPlugin = (output: string) => output.includes("no handler found for uri");

/** A resource of the cluster. */
export interface LiveResource {
  readonly kind: Kind | "data-stream" | "legacy-template";
  readonly name: string;
  /** As OpenSearch shows it. */
  readonly body: Json;
}

/** The path of each kind in the REST API. */
const PATHS: Readonly<Record<LiveResource["kind"], string>> = {
  "component-template": "/_component_template",
  "data-stream": "/_data_stream",
  "index-template": "/_index_template",
  "ingest-pipeline": "/_ingest/pipeline",
  "legacy-template": "/_template",
  "retention-policy": "/_plugins/_ism/policies",
};

/** The objects of the security plugin by kind and name. */
export interface LiveSecurity {
  readonly user: Json;
  readonly role: Json;
  readonly mapping: Json;
}

/** Reads templates, pipelines, data streams and the objects of the security plugin, simulates templates, and removes resources. */
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

  /** Lists all templates, also legacy ones, pipelines, retention policies and data streams. Throws if OpenSearch does not answer. */
  async list(): Promise<LiveResource[]> {
    const of = async (kind: LiveResource["kind"]) => (await this.read(PATHS[kind])) ?? {};
    // OpenSearch answers 404 if there is no pipeline.
    const pipelines = await of("ingest-pipeline");
    const { component_templates = [] } = await of("component-template");
    const { index_templates = [] } = await of("index-template");
    const { data_streams = [] } = await of("data-stream");
    const legacy = await of("legacy-template");
    const policies = await this.listPolicies();
    const resource = (kind: LiveResource["kind"], name: string, body: Json) => ({
      ...{ kind, name, body },
    });
    return [
      ...component_templates.map(({ name, component_template }: Json) =>
        resource("component-template", name, component_template),
      ),
      ...Object.entries<Json>(pipelines).map(([name, body]) =>
        resource("ingest-pipeline", name, body),
      ),
      ...index_templates.map(({ name, index_template }: Json) =>
        resource("index-template", name, index_template),
      ),
      ...Object.entries<Json>(legacy).map(([name, body]) =>
        resource("legacy-template", name, body),
      ),
      ...policies.map(({ _id, policy }: Json) => resource("retention-policy", _id, policy)),
      ...data_streams.map(({ name, ...body }: Json) => resource("data-stream", name, body)),
    ];
  }

  private async listPolicies(): Promise<Json[]> {
    const path = `${PATHS["retention-policy"]}?size=10000`;
    const { json, output } = await this.ask({ path });
    if (json === undefined && !isWithoutPlugin(output)) {
      throw new CommandError(`OpenSearch does not answer ${path}: ${output}`);
    }
    // Without the index management plugin, there are none.
    return json?.policies ?? [];
  }

  /** Whether OpenSearch has a retention policy, or an index that follows one. */
  async hasRetention(): Promise<boolean> {
    if ((await this.listPolicies()).length > 0) {
      return true;
    }
    const path = "/_plugins/_ism/explain?size=1";
    const { json, output } = await this.ask({ path });
    if (json === undefined && !isWithoutPlugin(output)) {
      throw new CommandError(`OpenSearch does not answer ${path}: ${output}`);
    }
    return (json?.total_managed_indices ?? 0) > 0;
  }

  /** Reads all users, roles and role mappings. Throws if OpenSearch does not answer. */
  async readSecurity(): Promise<LiveSecurity> {
    return {
      user: await this.readSecurityConfiguration("internalusers"),
      role: await this.readSecurityConfiguration("roles"),
      mapping: await this.readSecurityConfiguration("rolesmapping"),
    };
  }

  /** Reads all objects of one type of the security plugin's configuration, such as `audit`. Throws if OpenSearch does not answer. */
  async readSecurityConfiguration(type: string): Promise<Json> {
    const path = `${SECURITY_API}/${type}`;
    const objects = await this.read(path);
    if (objects === undefined) {
      throw new CommandError(`OpenSearch has no security plugin: ${path} does not exist`);
    }
    return objects;
  }

  /** Returns the indices whose documents go through each ingest pipeline, by the pipeline's name. */
  async indicesOfPipelines(): Promise<ReadonlyMap<string, readonly string[]>> {
    const settings = await this.read(
      "/_all/_settings/index.default_pipeline,index.final_pipeline?flat_settings=true&expand_wildcards=all",
    );
    const users = new Map<string, string[]>();
    for (const [index, { settings: own = {} }] of Object.entries<Json>(settings ?? {})) {
      for (const pipeline of Object.values<string>(own)) {
        users.set(pipeline, [...(users.get(pipeline) ?? []), index]);
      }
    }
    return users;
  }

  /** Returns the indices to which index state management applies each retention policy, by the policy's name. */
  async indicesOfPolicies(): Promise<ReadonlyMap<string, readonly string[]>> {
    const managed = (await this.read("/_plugins/_ism/explain?size=10000")) ?? {};
    const users = new Map<string, string[]>();
    for (const [index, { policy_id: policy }] of Object.entries<Json>(managed)) {
      // Beside the indices, there is their total.
      if (policy !== undefined) {
        users.set(policy, [...(users.get(policy) ?? []), index]);
      }
    }
    return users;
  }

  /** Removes a resource, a data stream with its documents. Throws OpenSearch's reason if it refuses. */
  async remove({ kind, name }: Pick<LiveResource, "kind" | "name">): Promise<void> {
    const { status, json, output } = await this.ask({
      ...{ method: "DELETE", path: `${PATHS[kind]}/${name}` },
    });
    // 404: it was removed meanwhile.
    const isRemoved = json?.acknowledged === true || json?.result === "deleted";
    if (!isRemoved && status !== 404) {
      throw new CommandError(
        `OpenSearch does not remove ${kind.replace("-", " ")} ${name}: ${reasonIn(output)}`,
      );
    }
  }

  /** Returns what new indices of an existing template get. */
  simulateExisting(name: string): Promise<Json> {
    return this.simulated(`/_index_template/_simulate/${name}?filter_path=template`);
  }

  /** Returns what a new index, or the next index of a data stream, gets from whichever template applies to it. */
  async simulateIndex(index: string): Promise<Json> {
    const name = encodeURIComponent(index);
    const path = `/_index_template/_simulate_index/${name}?filter_path=template`;
    const { json, output } = await this.ask({ method: "POST", path });
    if (json === undefined && output.includes(`data stream [${index}] conflicts with index`)) {
      // OpenSearch simulates no index with the name of a data stream, but tells the template of the stream.
      const streams = await this.read(`/_data_stream/${name}?filter_path=data_streams.template`);
      const template: string | undefined = streams?.data_streams?.[0].template;
      return template === undefined ? {} : this.simulateExisting(template);
    }
    return templateOf(path, json, output);
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
    return templateOf(path, json, output);
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

function templateOf(path: string, json: Json | undefined, output: string): Json {
  if (json === undefined) {
    throw new CommandError(`OpenSearch does not answer ${path}: ${output}`);
  }
  return json.template ?? {};
}
