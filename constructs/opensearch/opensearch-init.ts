import { Construct } from "constructs";
import { readOwnFile, type UploadedFile } from "../container/file";
import { validate } from "../container/validation";
import { InitSidecar, type RetryProps } from "../init-sidecar/init-sidecar";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import { patternsOverlap } from "./index-name";
import type { IndexTemplate } from "./index-template";
import type { OpenSearchCluster } from "./opensearch-cluster";
import { sidecarOverTls } from "./tls";

export interface OpenSearchInitProps {
  /** The cluster that gets the templates. */
  readonly cluster: OpenSearchCluster;

  /** The templates that are active once the sidecar has succeeded. */
  readonly indexTemplates: readonly IndexTemplate[];

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

const TEMPLATES_DIR = `${SIDECAR_DIR}/index-templates`;

/** Provisions index templates. Once the sidecar has succeeded, every declared template is active. Container `os-init`. */
export class OpenSearchInit extends Construct {
  readonly sidecar: InitSidecar;

  constructor(scope: Construct, id: string, props: OpenSearchInitProps) {
    super(scope, id);
    const names = props.indexTemplates.map(({ name }) => name);
    const duplicate = names.find((name, i) => names.indexOf(name) !== i);
    validate(
      duplicate === undefined,
      () => `index template "${duplicate}" is declared twice: rename or remove one`,
      this,
    );
    validatePriorities(this, props.indexTemplates);
    const { security } = props.cluster;
    const tls = security && sidecarOverTls(SIDECAR_DIR, "os-init", security);
    this.sidecar = new InitSidecar(this, "Sidecar", {
      name: props.containerName ?? "os-init",
      image: props.cluster.image,
      network: props.cluster.infraNetwork,
      waitFor: props.cluster.nodes,
      script: readOwnFile(__dirname, "os-init.sh"),
      declared: names,
      files: [
        { path: `${SIDECAR_DIR}/rest.sh`, content: readOwnFile(__dirname, "rest.sh") },
        ...props.indexTemplates.flatMap(renderTemplate),
        ...(tls?.files ?? []),
      ],
      secrets: tls?.secrets,
      env: {
        OPENSEARCH_ENDPOINTS: props.cluster.internalEndpoints.join(" "),
        OPENSEARCH_NODES: String(props.cluster.expectedNodes),
        TEMPLATES_DIR,
        ...tls?.env,
      },
      retry: props.retry,
    });
  }
}

/**
 * Renders the files of a template as os-init.sh reads them, with one line per field: Terraform's time grows with the square of a text's
 * number of lines.
 *
 * @internal
 */
export function renderTemplate({ name, body, onDrift }: IndexTemplate): UploadedFile[] {
  const { index_patterns, ...rest } = body;
  const laidOut = {
    ...rest,
    composed_of: body.composed_of ?? [],
    _meta: { ...body._meta, fingerprint: "@FINGERPRINT@" },
    index_patterns,
  };
  const file = (suffix: string, content: string) => ({
    path: `${TEMPLATES_DIR}/${name}.${suffix}`,
    content: `${content}\n`,
  });
  const fields = Object.entries(laidOut).map(
    ([field, value]) => `  ${JSON.stringify(field)}: ${JSON.stringify(value)}`,
  );
  return [file("json", `{\n${fields.join(",\n")}\n}`), file("on-drift", onDrift)];
}

/** OpenSearch rejects two templates with the same priority and overlapping index patterns. */
function validatePriorities(scope: Construct, templates: readonly IndexTemplate[]): void {
  for (const [i, { name, body }] of templates.entries()) {
    for (const other of templates.slice(0, i)) {
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
