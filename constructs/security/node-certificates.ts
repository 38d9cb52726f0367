import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import { readOwnFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import type { ServiceImage } from "../container/service-image";
import { DataVolume, type IDataVolume } from "../storage/data-volume";

const SUFFIX = "-certificates";

/** Returns the node whose certificates a volume or job of this name has; undefined for any other name. */
export function nodeOfCertificates(name: string): string | undefined {
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : undefined;
}

export interface NodeCertificatesProps {
  /** The name of the node's container. */
  readonly node: string;

  /** The node's image. */
  readonly image: ServiceImage;

  /** The paths that Terraform reads, relative to the stack's working folder, by the file's name in the volume. */
  readonly files: Readonly<Record<string, string>>;
}

/** Docker's path of the new files, and of the volume, in the job. */
const [NEW_FILES, VOLUME] = ["/groundwork/certificates", "/certificates"];

/** Root, which owns a new volume, in the group of the images' users. */
const USER = "0:1000";

/**
 * The certificates of a cluster's node: the volume `<node>-certificates`, which the node mounts read-only, and a job of the same name that
 * copies the files into it. A renewed file replaces the job and not the node, which rereads the volume.
 */
export class NodeCertificates extends Construct implements IDataVolume {
  readonly name: string;
  readonly readOnly = true;

  /** The job: a node starts after its certificates are in the volume. */
  readonly dependable: ITerraformDependable;

  constructor(scope: Construct, id: string, props: NodeCertificatesProps) {
    super(scope, id);
    this.name = `${props.node}${SUFFIX}`;
    const script = "/groundwork/copy-certificates.sh";
    const job = new ServiceContainer(this, "Job", {
      name: this.name,
      image: props.image,
      tier: "tool",
      networks: [],
      user: USER,
      entrypoint: ["sh", script, NEW_FILES, VOLUME],
      files: [{ path: script, content: readOwnFile(__dirname, "copy-certificates.sh") }],
      secrets: Object.entries(props.files).map(([file, source]) => ({
        path: `${NEW_FILES}/${file}`,
        source,
      })),
      // Keys do not outlive the node.
      volumes: {
        [VOLUME]: new DataVolume(this, "Volume", { name: this.name, preventDestroy: false }),
      },
    });
    this.dependable = job.dependable;
  }
}
