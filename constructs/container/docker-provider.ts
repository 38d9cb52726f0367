import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { serviceSettingsOf } from "./settings";

/** The bindings pin 3.6.2. The provider has memory_reservation since 3.7.0 and handles stopped containers correctly since 4.0.0. */
const DOCKER_PROVIDER_VERSION = "4.5.0";

/**
 * Pins the Docker provider's version in the scope's stack. Adds a provider for the Docker engine of the stack's settings unless the
 * stack has one. Every construct that needs the provider calls this function.
 */
export function useDockerProvider(scope: Construct): void {
  const stack = TerraformStack.of(scope);
  if (!stack.node.findAll().some((construct) => construct instanceof DockerProvider)) {
    new DockerProvider(stack, "docker", { host: serviceSettingsOf(stack).engine });
  }
  stack.addOverride("terraform.required_providers.docker.version", DOCKER_PROVIDER_VERSION);
}
