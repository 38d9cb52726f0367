import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import type { TerraformStack } from "cdktf";
import { serviceSettingsOf } from "./settings";

/**
 * The bindings pin 3.6.2. From 3.7.0 on the provider has memory_reservation, from 4.0.0 on it handles stopped containers
 * correctly.
 */
const DOCKER_PROVIDER_VERSION = "4.5.0";

/** Gives a stack the provider that the constructs need, for the engine that its settings name. */
export function useDockerProvider(stack: TerraformStack): void {
  new DockerProvider(stack, "docker", { host: serviceSettingsOf(stack).engine });
  stack.addOverride("terraform.required_providers.docker.version", DOCKER_PROVIDER_VERSION);
}
