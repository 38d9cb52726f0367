import { KAFKA_IMAGE } from "../../constructs";
import type { Environment } from "../../environments";
import { docker, run, TRIAL } from "./lab";
import { container, type Json, synthesize } from "./platform";

/** The user alloy of Alloy's image, which the lab does not have. */
const ALLOYS_USER = "473:473";

/** Returns docker arguments for the mounts and permissions that an environment's Alloy has once it runs. */
export function alloysView(environment: Environment): string[] {
  const { volumes } = container(synthesize(environment).stacks, "alloy");
  return [
    ...volumes.flatMap(({ host_path, container_path }: Json) => [
      "--volume",
      // Alloy's volume is on the engine's disk, as an anonymous one is.
      host_path ? `${host_path}:${container_path}:ro` : container_path,
    ]),
    ...["--user", ALLOYS_USER, "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"],
  ];
}

/** Returns the lines of the exit relay. */
export function allRelayed(): Json[] {
  return docker("logs", "exit-relay")
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Returns the lines of the exit relay about a container. */
export function relayed(container: string): Json[] {
  return allRelayed().filter((line) => line.container === container);
}

/** Returns the gauges of constructs/alloy/exits.alloy for the relay's lines, in Prometheus's text format. */
export function alloysGauges(lines: readonly Json[]): string {
  const samples: Record<string, number> = {};
  for (const {
    id,
    cluster,
    environment,
    image,
    container,
    service,
    role,
    stack,
    ...line
  } of lines) {
    const set = (name: string, value: number | undefined, labels: Json) => {
      if (value !== undefined) {
        const pairs = Object.entries(labels).map(([key, text]) => `${key}=${JSON.stringify(text)}`);
        samples[`groundwork_${name}{${pairs.join(",")}}`] = value;
      }
    };
    const one = { container, service, role };
    set("container_exit_code", line.exit_code, one);
    set("container_finished_timestamp_seconds", line.finished, one);
    set("container_oom_killed_timestamp_seconds", line.oom_killed, one);
    if (role === "application") {
      set("application_failures", line.failures, { service, role, stack });
      set("application_failed_timestamp_seconds", line.failed, { service, role, stack });
    } else {
      set("container_created_timestamp_seconds", line.created, one);
      set("container_succeeded_timestamp_seconds", line.succeeded, one);
    }
    // Only applications that the relay reports.
    set("container_info", id && 1, {
      ...{ ...one, container_id: id, name: container },
      ...{ cluster, environment, image },
    });
  }
  return Object.entries(samples)
    .map(([series, value]) => `${series} ${value}\n`)
    .sort()
    .join("");
}

/** Runs a container to its end with the labels of one of an environment's init sidecars. */
export function runToEnd(
  environment: string,
  name: string,
  command: string,
  ...options: string[]
): void {
  const labels = { environment, stack: "e2e", service: name, role: "init" };
  run("docker", [
    ...["run", ...TRIAL, "--name", name, "--entrypoint", "sh"],
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `groundwork.${key}=${value}`]),
    ...[...options, KAFKA_IMAGE, "-c", command],
  ]);
}
