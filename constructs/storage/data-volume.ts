import { Volume } from "@cdktf/provider-docker/lib/volume";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import { useDockerProvider } from "../container/docker-provider";
import { settingsLabels } from "../container/settings";

/** A volume that containers mount by its name. */
export interface IDataVolume {
  readonly name: string;

  /**
   * Whether containers can only read it.
   *
   * @default false
   */
  readonly readOnly?: boolean;

  /**
   * The resource that containers of the same stack depend on.
   *
   * @default - none: the volume exists before the stack
   */
  readonly dependable?: ITerraformDependable;
}

export interface DataVolumeProps {
  /** The name in the Docker engine. */
  readonly name: string;

  /**
   * Whether Terraform rejects every plan that would destroy the volume while it is declared.
   *
   * @default true
   */
  readonly preventDestroy?: boolean;
}

/** A named Docker volume whose data outlives its containers. */
export class DataVolume extends Construct implements IDataVolume {
  readonly name: string;
  readonly dependable: ITerraformDependable;

  constructor(scope: Construct, id: string, props: DataVolumeProps) {
    super(scope, id);
    this.name = props.name;
    useDockerProvider(this);
    this.dependable = new Volume(this, "Resource", {
      name: props.name,
      labels: settingsLabels(this),
      lifecycle: {
        preventDestroy: props.preventDestroy ?? true,
        // Labels of a volume cannot change, so a difference would replace it, for example a volume that was copied to another machine.
        ignoreChanges: ["labels"],
      },
    });
  }
}
