import { join } from "node:path";
import { unescapeTemplate } from "../../constructs/container/file";
import type { ContainerResource, Label } from "../../operations/synthesis/container";
import { stackFolder } from "../../operations/synthesis/project";

/**
 * Renders the same containers for docker compose, which the benchmark compares with, as JSON (which is valid YAML). Files
 * that Terraform uploads are mounted from the directory.
 */
export function renderCompose(
  containers: readonly ContainerResource[],
  images: ReadonlyMap<string, string>,
  directory: string,
): { yaml: string; files: Map<string, string> } {
  const files = new Map<string, string>();
  const services: Record<string, unknown> = {};
  const volumes: Record<string, unknown> = {};
  const networks: Record<string, unknown> = {};
  for (const { stack, body } of containers) {
    const service = body.name.replace(/-.*/, "").replace(/^os$/, "opensearch");
    const nodes = containers
      .map(({ body: { name, must_run } }) => (must_run ? name : ""))
      .filter((name) => name.startsWith(`${service}-`));
    const binds = (body.upload ?? []).map(({ file, content = "", source }) => {
      if (source) {
        return `${join(stackFolder(stack), source)}:${file}:ro`;
      }
      const path = join(directory, body.name, file);
      files.set(path, unescapeTemplate(content));
      return `${path}:${file}:ro`;
    });
    const mounts = (body.volumes ?? []).map(({ volume_name, host_path, container_path }) => {
      if (volume_name) {
        volumes[volume_name] = {};
        return `${volume_name}:${container_path}`;
      }
      return `${host_path}:${container_path}:ro`;
    });
    for (const { name } of body.networks_advanced) {
      networks[name] = { name, driver: "bridge", labels: labelsOf(body.labels) };
    }
    services[body.name] = {
      container_name: body.name,
      image: images.get(service),
      init: true,
      entrypoint: body.entrypoint,
      command: body.command,
      user: body.user,
      environment: (body.env ?? []).map((entry) => entry.replaceAll("$", "$$")),
      volumes: [...mounts, ...binds],
      tmpfs: Object.entries(body.tmpfs ?? {}).map(([path, options]) => `${path}:${options}`),
      networks: body.networks_advanced.map(({ name }) => name),
      ports: (body.ports ?? []).map(
        ({ ip, external, internal }) => `${ip}:${external}:${internal}`,
      ),
      mem_limit: `${body.memory}m`,
      memswap_limit: `${body.memory_swap}m`,
      mem_reservation: `${body.memory_reservation}m`,
      security_opt: body.security_opts,
      cap_drop: body.capabilities?.drop,
      logging: { driver: body.log_driver, options: body.log_opts },
      restart: body.restart,
      labels: labelsOf(body.labels),
      ...(body.healthcheck
        ? {
            healthcheck: {
              test: body.healthcheck.test,
              interval: body.healthcheck.interval,
              timeout: body.healthcheck.timeout,
              retries: body.healthcheck.retries,
              start_period: body.healthcheck.start_period,
            },
          }
        : {
            depends_on: Object.fromEntries(
              nodes.map((node) => [node, { condition: "service_healthy" }]),
            ),
          }),
    };
  }
  return { yaml: JSON.stringify({ services, volumes, networks }, null, 2), files };
}

/** Returns the labels by which a later lab finds and removes what a killed run left. */
function labelsOf(labels: readonly Label[] = []): Record<string, string> {
  return Object.fromEntries(labels.map(({ label, value }) => [label, value]));
}
