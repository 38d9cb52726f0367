import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { applyServiceSettings, useDockerProvider } from "../constructs";
import type { Environment } from "../environments";
import { declareBackend } from "./state-backend";

/**
 * What all stacks share: the state's place and the environment's settings. A stack is named after its environment too, so that
 * Terraform's working folder of one is never taken for that of another.
 */
export class PlatformStack extends TerraformStack {
  constructor(scope: Construct, layer: string, environment: Environment) {
    super(scope, `${environment.name}-${layer}`);
    applyServiceSettings(this, {
      environment: environment.name,
      stack: layer,
      memoryScale: environment.memoryScale,
    });
    declareBackend(this, environment, layer);
  }
}

/** A stack of containers, networks or volumes. */
export class DockerStack extends PlatformStack {
  constructor(scope: Construct, layer: string, environment: Environment) {
    super(scope, layer, environment);
    useDockerProvider(this);
  }
}
