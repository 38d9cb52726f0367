import { nodeOfCertificates } from "../../constructs/security/node-certificates";
import type { SynthesizedResource } from "./resources";

/** A file that Terraform copies into a container: its content, or its path relative to the stack's working folder. */
export interface Upload {
  readonly file: string;
  readonly content?: string;
  readonly source?: string;
  readonly source_hash?: string;
}

/** A volume or host path that is mounted into a container. */
export interface Mount {
  readonly container_path: string;
  readonly volume_name?: string;
  readonly host_path?: string;
}

export interface PublishedPort {
  readonly ip: string;
  readonly external: number;
  readonly internal: number;
}

/** A health check. Durations are strings such as `30s`. */
export interface HealthCheck {
  readonly test: readonly string[];
  readonly interval?: string;
  readonly timeout?: string;
  readonly start_period?: string;
  readonly retries?: number;
}

export interface Label {
  readonly label: string;
  readonly value: string;
}

/**
 * The arguments of a `docker_container` in a synth or a plan, which omits empty ones
 * (https://registry.terraform.io/providers/kreuzwerker/docker/4.5.0/docs/resources/container).
 */
export type SynthesizedContainer = {
  readonly name: string;
  readonly image: string;
  readonly labels?: readonly Label[];
  /** MiB. */
  readonly memory: number;
  readonly memory_swap: number;
  readonly memory_reservation: number;
  /** `NAME=value`. */
  readonly env?: readonly string[];
  readonly upload?: readonly Upload[];
  readonly volumes?: readonly Mount[];
  readonly ports?: readonly PublishedPort[];
  readonly networks_advanced: readonly { readonly name: string }[];
  readonly tmpfs?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly restart?: string;
  readonly security_opts?: readonly string[];
  readonly capabilities?: { readonly drop?: readonly string[] };
  readonly log_driver?: string;
  readonly log_opts?: Readonly<Record<string, string>>;
  readonly healthcheck?: HealthCheck;
  /** Whether it keeps running. Otherwise it runs to its end during the deploy. */
  readonly must_run?: boolean;
  readonly depends_on?: readonly string[];
};

export type ContainerResource = SynthesizedResource<SynthesizedContainer>;

export function isContainer(resource: SynthesizedResource): resource is ContainerResource {
  return resource.type === "docker_container";
}

/** Returns the containers among resources. */
export function containersOf(resources: readonly SynthesizedResource[]): SynthesizedContainer[] {
  return resources.filter(isContainer).map(({ body }) => body);
}

/** Returns the names of the init sidecars: the jobs that provision a cluster. */
export function sidecarsIn(containers: readonly SynthesizedContainer[]): string[] {
  return jobsIn(containers).filter((name) => nodeOfCertificates(name) === undefined);
}

/** Returns the names of the containers that run to their end during the deploy: the init sidecars, and those that copy certificates. */
export function jobsIn(containers: readonly SynthesizedContainer[]): string[] {
  return containers.filter(({ must_run }) => must_run === false).map(({ name }) => name);
}

/** Returns the name of a node's cluster; undefined for other containers. */
export function clusterOf(container: SynthesizedContainer): string | undefined {
  return labelOf(container, "cluster");
}

/** Returns the value of the label `groundwork.<name>`. */
export function labelOf({ labels }: SynthesizedContainer, name: string): string | undefined {
  return labels?.find(({ label }) => label === `groundwork.${name}`)?.value;
}
