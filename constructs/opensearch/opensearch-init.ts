import { Construct } from "constructs";
import { readOwnFile } from "../container/file";
import { all, validate, validateDistinct } from "../container/validation";
import { InitSidecar, type RetryProps } from "../init-sidecar/init-sidecar";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import type { ComponentTemplate } from "./component-template";
import {
  calledResource,
  type DeclaredResource,
  loggedName,
  renderResource,
} from "./declared-resource";
import { patternsOverlap } from "./index-name";
import type { IndexTemplate } from "./index-template";
import type { IngestPipeline } from "./ingest-pipeline";
import type { OpenSearchCluster } from "./opensearch-cluster";
import type { OpenSearchSecurity } from "./opensearch-security";
import { calledFirst, validateReferences } from "./references";
import type { RetentionPolicy } from "./retention-policy";
import { sidecarOverTls } from "./tls";
import { validateRetentionPolicies } from "./validate-retention";

export interface OpenSearchInitProps {
  /** The cluster that gets the templates. */
  readonly cluster: OpenSearchCluster;

  /** The index templates that are active once the sidecar has succeeded. */
  readonly indexTemplates: readonly IndexTemplate[];

  /**
   * The component templates, which exist once the sidecar has succeeded.
   *
   * @default - none
   */
  readonly componentTemplates?: readonly ComponentTemplate[];

  /**
   * The ingest pipelines, which exist and pass their tests once the sidecar has succeeded.
   *
   * @default - none
   */
  readonly ingestPipelines?: readonly IngestPipeline[];

  /**
   * The policies that roll over and delete indices, which exist once the sidecar has succeeded. The image must have OpenSearch's index
   * management plugin.
   *
   * @default - none
   */
  readonly retentionPolicies?: readonly RetentionPolicy[];

  /**
   * The sidecar that keeps this one's permissions in a secured cluster up to date, and runs before it.
   *
   * @default - none: it has the permissions of the cluster's first start
   */
  readonly openSearchSecurity?: OpenSearchSecurity;

  /**
   * The name of the container.
   *
   * @default "os-init"
   */
  readonly containerName?: string;

  /**
   * How the sidecar waits for the cluster.
   *
   * @default - the defaults of `RetryProps`
   */
  readonly retry?: RetryProps;
}

/** Provisions templates, ingest pipelines and retention policies. Once the sidecar has succeeded, all that are declared are active. Container `os-init`. */
export class OpenSearchInit extends Construct {
  readonly sidecar: InitSidecar;

  constructor(scope: Construct, id: string, props: OpenSearchInitProps) {
    super(scope, id);
    const { componentTemplates = [], ingestPipelines = [], indexTemplates } = props;
    const { retentionPolicies = [] } = props;
    const resources: DeclaredResource[] = [
      ...componentTemplates,
      ...calledFirst(ingestPipelines, this),
      ...retentionPolicies,
      ...indexTemplates,
    ];
    all(
      () =>
        validateDistinct(
          resources.map(calledResource),
          (called) =>
            `${called} is declared twice: rename or remove one${called.startsWith("index template ") ? IN_FOLDERS : ""}`,
          this,
        ),
      () => validatePriorities(this, indexTemplates),
      () => validateReferences(this, resources),
      () => validateRetentionPolicies(this, retentionPolicies, indexTemplates, componentTemplates),
    );
    const { security } = props.cluster;
    const tls = security && sidecarOverTls(SIDECAR_DIR, "os-init", security);
    this.sidecar = new InitSidecar(this, "Sidecar", {
      name: props.containerName ?? "os-init",
      image: props.cluster.image,
      network: props.cluster.infraNetwork,
      waitFor: [
        ...props.cluster.nodes,
        ...(props.openSearchSecurity ? [props.openSearchSecurity.sidecar.container] : []),
      ],
      script: readOwnFile(__dirname, "os-init.sh"),
      declared: resources.map(loggedName),
      files: [
        ...["rest.sh", "resources.sh", "retention.sh", "retention-conflicts.sh"].map((name) => ({
          path: `${SIDECAR_DIR}/${name}`,
          content: readOwnFile(__dirname, name),
        })),
        ...resources.flatMap(renderResource),
        ...ingestPipelines.flatMap((pipeline) => pipeline.renderTests()),
        ...retentionPolicies.map((policy) => policy.renderManagedIndices()),
        ...(tls?.files ?? []),
      ],
      secrets: tls?.secrets,
      env: {
        OPENSEARCH_ENDPOINTS: props.cluster.internalEndpoints.join(" "),
        OPENSEARCH_NODES: String(props.cluster.expectedNodes),
        DECLARED_DIR: SIDECAR_DIR,
        ...tls?.env,
      },
      retry: props.retry,
    });
  }
}

/** Where a catalog has index templates. */
const IN_FOLDERS = ", in catalog/data-streams/ or catalog/index-templates/";

/** OpenSearch rejects two templates with the same priority and overlapping index patterns. */
function validatePriorities(scope: Construct, templates: readonly IndexTemplate[]): void {
  for (const [i, { name, body }] of templates.entries()) {
    for (const other of templates.slice(0, i).filter((one) => one.name !== name)) {
      const [pattern, otherPattern] =
        body.index_patterns
          .flatMap((mine) => other.body.index_patterns.map((theirs) => [mine, theirs]))
          .find(([mine, theirs]) => patternsOverlap(mine, theirs)) ?? [];
      validate(
        pattern === undefined || Number(body.priority ?? 0) !== Number(other.body.priority ?? 0),
        () =>
          `index templates ${other.name}.json and ${name}.json both have priority ${body.priority ?? 0}, and their index patterns "${otherPattern}" and "${pattern}" overlap, which OpenSearch rejects: give the more specific one a higher priority`,
        scope,
      );
    }
  }
}
