import type { Construct } from "constructs";
import { all, validate } from "../container/validation";
import { calledResource, type DeclaredResource, isObject, type Kind } from "./declared-resource";
import type { IngestPipeline } from "./ingest-pipeline";

interface Reference {
  readonly kind: Kind;
  readonly name: string;
  /** Where it is, in words. */
  readonly place: string;
}

/** Throws if a resource uses another one that is neither declared nor in the cluster. */
export function validateReferences(scope: Construct, resources: readonly DeclaredResource[]): void {
  all(
    ...resources.flatMap((resource) =>
      referencesOf(resource).map(({ kind, name, place }) => () => {
        const [property, present = []] =
          kind === "component-template"
            ? ["componentTemplates", resource.componentTemplates]
            : ["ingestPipelines", resource.ingestPipelines];
        const known = [
          ...resources.filter((other) => other.kind === kind).map((other) => other.name),
          ...present,
        ];
        validate(
          known.includes(name),
          () =>
            `${calledResource(resource)} uses the ${calledResource({ kind, name })}, which is not declared: declare it in catalog/${kind}s/${name}.json, remove it from ${place}, or add it to ${property} in catalog/index.ts if the cluster has it; declared: ${known.join(", ") || "none"}`,
          scope,
        );
      }),
    ),
  );
}

/** Returns the component templates and ingest pipelines that a resource uses. */
export function referencesOf({ kind, body }: Pick<DeclaredResource, "kind" | "body">): Reference[] {
  const { template, composed_of, processors, on_failure } = body as Record<string, unknown>;
  const to = (kindOfOther: Kind, names: readonly string[], place: string) =>
    [...new Set(names)].map((name) => ({ kind: kindOfOther, name, place }));
  return [
    ...to("component-template", (composed_of as string[]) ?? [], "composed_of"),
    ...(kind === "ingest-pipeline"
      ? to(
          "ingest-pipeline",
          [...pipelinesInProcessors(processors), ...pipelinesInProcessors(on_failure)],
          "its processors",
        )
      : to(
          "ingest-pipeline",
          pipelinesInSettings(isObject(template) ? template.settings : {}),
          "its settings",
        )),
  ];
}

/** Returns the pipelines that the settings of a template name, in any spelling. */
function pipelinesInSettings(settings: unknown): string[] {
  return settingsIn(settings)
    .filter(([path, value]) => /^(default|final)_pipeline$/.test(path) && value !== "_none")
    .map(([, value]) => value);
}

/** Returns the settings of a template that have a value, by their paths without `index.`, in any spelling. */
export function settingsIn(settings: unknown, prefix = ""): [path: string, value: string][] {
  return Object.entries(isObject(settings) ? settings : {}).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    return isObject(value)
      ? settingsIn(value, `${path}.`)
      : value === null
        ? []
        : [[path.replace(/^index\./, ""), String(value)] as [string, string]];
  });
}

/** Returns the pipelines that a list of processors calls, also on failure. A name with a template is known only at run time. */
function pipelinesInProcessors(processors: unknown): string[] {
  return (Array.isArray(processors) ? processors : []).flatMap((processor) =>
    Object.entries(isObject(processor) ? processor : {}).flatMap(([type, config]) => {
      const { name, on_failure, processor: inner } = isObject(config) ? config : {};
      const isCall = type === "pipeline" && typeof name === "string" && !name.includes("{{");
      return [
        ...(isCall ? [name] : []),
        ...pipelinesInProcessors(on_failure),
        ...(type === "foreach" ? pipelinesInProcessors([inner]) : []),
      ];
    }),
  );
}

/** Sorts pipelines so that each follows those that it calls, as its tests need. Throws if pipelines call each other. */
export function calledFirst(
  pipelines: readonly IngestPipeline[],
  scope?: Construct,
): IngestPipeline[] {
  const sorted = new Set<IngestPipeline>();
  const visit = (pipeline: IngestPipeline, callers: readonly IngestPipeline[]): void => {
    if (sorted.has(pipeline)) {
      return;
    }
    validate(
      !callers.includes(pipeline),
      () =>
        `ingest pipelines call each other: ${[...callers.slice(callers.indexOf(pipeline)), pipeline].map(({ name }) => name).join(" -> ")}: remove a pipeline processor`,
      scope,
    );
    for (const { name } of referencesOf(pipeline)) {
      for (const called of pipelines.filter((other) => other.name === name)) {
        visit(called, [...callers, pipeline]);
      }
    }
    sorted.add(pipeline);
  };
  for (const pipeline of pipelines) {
    visit(pipeline, []);
  }
  return [...sorted];
}
