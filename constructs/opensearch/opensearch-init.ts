import { Construct } from "constructs";
import { InitSidecar, type RetryProps, SIDECAR_DIR } from "../init-sidecar/init-sidecar";
import type { INetwork } from "../network/network";
import { readOwnFile, type UploadedFile } from "../service/file";
import { ServiceImage } from "../service/service-image";
import { validate } from "../service/validation";
import type { IndexTemplate } from "./index-template";
import { OPENSEARCH_IMAGE, type OpenSearchCluster } from "./opensearch-cluster";

export interface OpenSearchInitProps {
  /** Cluster that the templates are for. */
  readonly cluster: OpenSearchCluster;

  /** Network on which the cluster answers without passing the host. */
  readonly network: INetwork;

  /** Templates that are active when the sidecar has succeeded. */
  readonly indexTemplates: readonly IndexTemplate[];

  /**
   * How it waits for the cluster.
   *
   * @default - the defaults of `RetryProps`
   */
  readonly retry?: RetryProps;
}

const TEMPLATES_DIR = `${SIDECAR_DIR}/index-templates`;

/**
 * A priority that no template has, for asking the server how it reads a declaration: at the declaration's own priority it
 * refuses while the template exists.
 */
const COMPARE_PRIORITY = 2_000_000_011;

/** `os-init`: when it has completed, every declared index template is active and applied. */
export class OpenSearchInit extends Construct {
  readonly sidecar: InitSidecar;

  constructor(scope: Construct, id: string, props: OpenSearchInitProps) {
    super(scope, id);
    const names = props.indexTemplates.map(({ name }) => name);
    const duplicate = names.find((name, i) => names.indexOf(name) !== i);
    validate(
      duplicate === undefined,
      () => `index template "${duplicate}" is declared twice: every template has one declaration`,
      this,
    );
    this.sidecar = new InitSidecar(this, "Sidecar", {
      name: "os-init",
      image: ServiceImage.of(this, OPENSEARCH_IMAGE),
      network: props.network,
      waitFor: props.cluster.nodes,
      script: readOwnFile(__dirname, "os-init.sh"),
      declared: names,
      files: props.indexTemplates.flatMap(renderTemplate),
      env: {
        OPENSEARCH_ENDPOINTS: props.cluster.internalEndpoints.join(" "),
        OPENSEARCH_NODES: String(props.cluster.nodes.length),
        TEMPLATES_DIR,
      },
      retry: props.retry,
    });
  }
}

/** The files of one template that os-init.sh reads; what each is for stands there. */
export function renderTemplate({ name, body, onDrift }: IndexTemplate): UploadedFile[] {
  const { template: _, ...meta } = { ...body, composed_of: body.composed_of ?? [] };
  const marked = { ...body, _meta: { ...body._meta, fingerprint: "@FINGERPRINT@" } };
  const file = (suffix: string, content: string) => ({
    path: `${TEMPLATES_DIR}/${name}.${suffix}`,
    content: `${content}\n`,
  });
  return [
    file("json", JSON.stringify(marked, null, 2)),
    file("compare.json", JSON.stringify({ ...body, priority: COMPARE_PRIORITY }, null, 2)),
    file("meta", flatten(meta).join("\n")),
    file("on-drift", onDrift),
  ];
}

/** `path=value` for each scalar, with empty objects and arrays spelled as OpenSearch prints them. */
function flatten(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) {
    return value.length === 0
      ? [`${path}=[ ]`]
      : value.flatMap((item, index) => flatten(item, `${path}[${index}]`));
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return entries.length === 0
      ? [`${path}={ }`]
      : entries.flatMap(([key, item]) => flatten(item, path === "" ? key : `${path}.${key}`));
  }
  return [`${path}=${JSON.stringify(value)}`];
}
