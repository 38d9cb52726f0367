import { spawnSync } from "node:child_process";
import { KAFKA_IMAGE } from "../../constructs";
import type { Environment } from "../../environments";
import { docker, TRIAL } from "./lab";
import { container, type Json, synthesize } from "./platform";

/** What a container sees of the host that has the mounts and the rights of an environment's Alloy, which the lab has no image of. */
export function alloysView(environment: Environment): string[] {
  const { volumes, tmpfs = {} } = container(synthesize(environment).stacks, "alloy");
  return [
    ...volumes
      .filter(({ host_path }: Json) => host_path)
      .flatMap(({ host_path, container_path }: Json) => [
        ...["--volume", `${host_path}:${container_path}:ro`],
      ]),
    ...Object.entries(tmpfs).flatMap(([path, options]) => ["--tmpfs", `${path}:${options}`]),
    ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"],
  ];
}

/** What the exit relay has told. */
export function allRelayed(): Json[] {
  return docker("logs", "exit-relay")
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** What it has told of a container. */
export function relayed(container: string): Json[] {
  return allRelayed().filter((line) => line.container === container);
}

/** Runs a container to its end that is one of an environment's init sidecars by its labels. */
export function runToEnd(
  environment: string,
  name: string,
  command: string,
  ...options: string[]
): void {
  const labels = { environment, stack: "e2e", service: name, role: "init" };
  spawnSync("docker", [
    ...["run", ...TRIAL, "--name", name, "--entrypoint", "sh"],
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `groundwork.${key}=${value}`]),
    ...[...options, KAFKA_IMAGE, "-c", command],
  ]);
}
