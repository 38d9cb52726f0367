import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { applyServiceSettings } from "../constructs";
import type { Environment } from "../environments";
import { declareBackend } from "./state-backend";

/**
 * The bindings pin 3.6.2. From 3.7.0 on the provider has memory_reservation, from 4.0.0 on it handles stopped containers
 * correctly.
 */
const DOCKER_PROVIDER_VERSION = "4.5.0";

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
    new DockerProvider(this, "docker");
    this.addOverride("terraform.required_providers.docker.version", DOCKER_PROVIDER_VERSION);
  }
}
