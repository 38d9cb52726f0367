import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  ComponentTemplate,
  DataStream,
  type DriftPolicy,
  IndexTemplate,
  IngestPipeline,
  type ManagedIndices,
  RetentionPolicy,
} from "../../constructs";
import { loggedName, renderResource } from "../../constructs/opensearch/declared-resource";
import { calledFirst } from "../../constructs/opensearch/references";
import type { Json } from "./platform";
import { linesOf, type SidecarRun, type StartedSidecar, startSidecar } from "./sidecar";

/** Bodies by their paths below catalog/, such as `component-templates/base`. */
export type Declarations = Readonly<Record<string, Json>>;

export interface DeclarationProps {
  readonly onDrift?: DriftPolicy;
  /** Component templates that the cluster has. */
  readonly componentTemplates?: readonly string[];
  /** Ingest pipelines that the cluster has. */
  readonly ingestPipelines?: readonly string[];
  /** Data streams that the cluster has. */
  readonly dataStreams?: readonly string[];
  readonly managedIndices?: ManagedIndices;
}

/** Reads declarations as catalog/index.ts does, in the order of `OpenSearchInit`. */
export function declare(declarations: Declarations, props: DeclarationProps = {}) {
  const directory = mkdtempSync(join(tmpdir(), "catalog-"));
  try {
    for (const kind of [
      "component-templates",
      "ingest-pipelines",
      "retention",
      "data-streams",
      "index-templates",
    ]) {
      mkdirSync(join(directory, kind));
    }
    for (const [path, body] of Object.entries(declarations)) {
      const file = join(directory, `${path}.json`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(body));
    }
    return {
      componentTemplates: ComponentTemplate.fromDirectory(
        join(directory, "component-templates"),
        props,
      ),
      ingestPipelines: IngestPipeline.fromDirectory(join(directory, "ingest-pipelines"), props),
      retentionPolicies: RetentionPolicy.fromDirectory(join(directory, "retention"), props),
      indexTemplates: [
        ...DataStream.fromDirectory(join(directory, "data-streams"), props),
        ...IndexTemplate.fromDirectory(join(directory, "index-templates"), props),
      ],
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The files that os-init.sh uses. */
export const OS_INIT_FILES = ["rest", "resources", "retention", "retention-conflicts"].map(
  (name) => `opensearch/${name}.sh`,
);

type OsInitProps = DeclarationProps & { readonly nodes?: number };

/** Runs the real os-init in this machine's shell. */
export const runOsInit = (
  url: string,
  declarations: Declarations,
  props?: OsInitProps,
): Promise<SidecarRun> => startOsInit(url, declarations, props).done;

/** Starts the real os-init in this machine's shell. */
export function startOsInit(
  url: string,
  declarations: Declarations,
  props: OsInitProps = {},
): StartedSidecar {
  const declared = declare(declarations, props);
  const { componentTemplates, ingestPipelines, retentionPolicies, indexTemplates } = declared;
  const resources = [
    ...componentTemplates,
    ...calledFirst(ingestPipelines),
    ...retentionPolicies,
    ...indexTemplates,
  ];
  return startSidecar({
    script: "opensearch/os-init.sh",
    beside: OS_INIT_FILES,
    files: [
      ...resources.flatMap(renderResource),
      ...ingestPipelines.flatMap((pipeline) => pipeline.renderTests()),
      ...retentionPolicies.map((policy) => policy.renderManagedIndices()),
    ],
    declared: resources.map(loggedName).join(" "),
    env: (directory) => ({
      OPENSEARCH_ENDPOINTS: url,
      OPENSEARCH_NODES: String(props.nodes ?? 3),
      DECLARED_DIR: directory,
    }),
  });
}

/** The fields in lines of an event, each with its resource, and what is declared and found. */
export const fieldsOf = (run: SidecarRun, event: "drift" | "change") =>
  linesOf(run, event).map(({ resource, field, declared, actual }) => [
    ...[resource, field, declared, actual],
  ]);
