import { Volume } from "@cdktf/provider-docker/lib/volume";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import { useDockerProvider } from "../container/docker-provider";
import { settingsLabels } from "../container/settings";

/** A volume that containers mount by name. */
export interface IDataVolume {
  readonly name: string;

  /**
   * What containers of the same stack wait for.
   *
   * @default - nothing: the volume is there before the stack
   */
  readonly dependable?: ITerraformDependable;
}

export interface DataVolumeProps {
  /** The engine's name of the volume. */
  readonly name: string;

  /**
   * Whether Terraform refuses every plan that would destroy the volume while it is declared.
   *
   * @default true
   */
  readonly preventDestroy?: boolean;
}

/** A named volume with data that outlives its containers. */
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
        // The engine keeps those that a volume was made with, and one with other labels would be made anew: one that was copied to another machine.
        ignoreChanges: ["labels"],
      },
    });
  }
}
