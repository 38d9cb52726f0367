import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { serviceSettingsOf } from "./settings";

/**
 * The bindings pin 3.6.2. From 3.7.0 on the provider has memory_reservation, from 4.0.0 on it handles stopped containers
 * correctly.
 */
const DOCKER_PROVIDER_VERSION = "4.5.0";

/**
 * Gives the scope's stack the version of the Docker provider that the constructs need and, unless it has a provider, one for the
 * engine that the stack's settings name. Every construct that needs the provider calls it.
 */
export function useDockerProvider(scope: Construct): void {
  const stack = TerraformStack.of(scope);
  if (!stack.node.findAll().some((construct) => construct instanceof DockerProvider)) {
    new DockerProvider(stack, "docker", { host: serviceSettingsOf(stack).engine });
  }
  stack.addOverride("terraform.required_providers.docker.version", DOCKER_PROVIDER_VERSION);
}
