import { laptop } from "../../../environments/laptop";
import { labThree } from "../../../lab/environments";
import {
  abandonedJobs,
  areLeftOver,
  describeObstacles,
  describeRemains,
  type UnmanagedResource,
} from "../../../operations/deploy/unmanaged";
import { Platform } from "../../../operations/platform/platform";
import type { Stack } from "../../../operations/synthesis/synthesize";
import { programsOnPath } from "../../support/programs";

/** A resource on the engine, of an environment or not created by Groundwork. */
const resource = (
  kind: UnmanagedResource["kind"],
  name: string,
  environment?: string,
): UnmanagedResource => ({
  ...{ kind, name, environment, id: name, stack: {} as Stack },
  address: `docker_${kind}.${name}`,
});

test("resources of this environment that are not in the state are named, with the command to take them over", () => {
  const own = [
    resource("network", "infra_net", "laptop"),
    ...[1, 2, 3].map((node) => resource("container", `kafka-${node}`, "laptop")),
    resource("container", "grafana", "laptop"),
    resource("volume", "kafka-1-data", "laptop"),
  ];
  expect(describeObstacles(laptop, own)).toEqual([
    '1 network and 4 containers (infra_net, kafka-1, kafka-2 and 2 more) of environment "laptop" exist but are not in this Terraform state: another clone deployed them, or the state was lost. npm run adopt takes them over and keeps all stored data',
  ]);
  expect(describeObstacles(laptop, own, { adopt: true })).toEqual([]);
});

test("resources of another environment or of no environment are not taken over", () => {
  const others = [resource("container", "kafka-1", "production"), resource("network", "infra_net")];
  for (const adopt of [false, true]) {
    expect(describeObstacles(laptop, others, { adopt })).toEqual([
      'container kafka-1 of environment "production" already exists, and an engine runs one environment: stop that one with GROUNDWORK_ENV=production npm run down, or use another engine (DOCKER_HOST)',
      "network infra_net already exists and was not created by Groundwork: remove it, use another engine (DOCKER_HOST), or join the network with `adopt: true` in environments/laptop.ts",
    ]);
  }
});

describe("containers that a killed deploy left", () => {
  const node = resource("container", "kafka-4", "laptop");
  const volume = resource("volume", "kafka-4-data", "laptop");

  test("are those that are not in a state with others", () => {
    expect(areLeftOver(laptop, [node, volume], 12)).toBe(true);
  });

  test("are not those of another clone or of a lost state, which has no container", () => {
    expect(areLeftOver(laptop, [node], 0)).toBe(false);
    const network = resource("network", "infra_net", "laptop");
    expect(areLeftOver(laptop, [node, network], 12)).toBe(false);
  });

  test("are not those of others", () => {
    expect(areLeftOver(laptop, [node, resource("container", "grafana")], 12)).toBe(false);
    expect(areLeftOver(laptop, [resource("container", "kafka-1", "production")], 12)).toBe(false);
    expect(areLeftOver(laptop, [volume], 12)).toBe(false);
  });
});

describe("jobs that a killed deploy left", () => {
  const jobs = [
    resource("container", "kafka-init", "laptop"),
    resource("container", "kafka-1-certificates", "laptop"),
  ];
  const volume = resource("volume", "kafka-1-certificates", "laptop");

  test("are removed and run again", () => {
    expect(abandonedJobs(laptop, [...jobs, volume])).toEqual(jobs);
  });

  test("stay if other resources are not in the state either: another clone may have deployed all", () => {
    for (const other of [
      resource("container", "kafka-1", "laptop"),
      resource("network", "infra_net", "laptop"),
      resource("container", "os-init", "production"),
    ]) {
      expect(abandonedJobs(laptop, [...jobs, other])).toEqual([]);
    }
  });

  test("are removed in any case if there are several machines, since one may have been gone", () => {
    const node = resource("container", "kafka-1", labThree.name);
    const [sidecar] = [resource("container", "kafka-init", labThree.name)];
    expect(abandonedJobs(labThree, [sidecar, node])).toEqual([sidecar]);
  });
});

test("existing volumes do not stop a deploy", () => {
  expect(describeObstacles(laptop, [resource("volume", "kafka-1-data", "laptop")])).toEqual([]);
});

describe("the remains of an environment after npm run down", () => {
  const { program } = programsOnPath();

  /** An engine that lists these, one per line: id, name and environment. */
  const engine = (kinds: Readonly<Record<"ps" | "network" | "volume", string>>) => {
    const cases = Object.entries(kinds).map(([kind, lines]) => `${kind}) printf '${lines}' ;;`);
    program("docker", `case "$1" in ${cases.join(" ")} esac`);
  };

  test("is named with the commands to take it down; resources of others are not", async () => {
    engine({
      ps: "1\\tkafka-1\\tlaptop\\n2\\tshop\\t\\n3\\tkafka-2\\tproduction",
      network: "4\\tinfra_net\\tlaptop\\n5\\tbridge\\t",
      volume: "kafka-1-data\\tkafka-1-data\\tlaptop",
    });
    const told = (resources: string) =>
      `environment "laptop" is not down: ${resources} exist but are not in this Terraform state: another clone deployed them, or the state was lost. npm run adopt takes them over and keeps all stored data. Then run npm run down again`;
    expect(await describeRemains(new Platform(laptop), { volumes: false })).toBe(
      told("1 network and 1 container (kafka-1, infra_net)"),
    );
    expect(await describeRemains(new Platform(laptop), { volumes: true })).toBe(
      told("1 network, 1 container and 1 volume (kafka-1, infra_net, kafka-1-data)"),
    );
  });

  test("is a volume with certificates, also if the data volumes stay", async () => {
    const volumes = ["kafka-1-data", "kafka-1-certificates"].map(
      (name) => `${name}\\t${name}\\tlaptop`,
    );
    engine({ ps: "", network: "", volume: volumes.join("\\n") });
    expect(await describeRemains(new Platform(laptop), { volumes: false })).toMatch(
      /"laptop" is not down: volume kafka-1-certificates exists but /,
    );
  });

  test("is never the volume with the backups, which outlives the data volumes", async () => {
    const volume = "opensearch-backups\\topensearch-backups\\tlaptop";
    engine({ ps: "", network: "", volume });
    expect(await describeRemains(new Platform(laptop), { volumes: true })).toBeUndefined();
  });

  test("is nothing if only its volumes remain, unless they were to be removed too", async () => {
    engine({ ps: "", network: "5\\tbridge\\t", volume: "kafka-1-data\\tkafka-1-data\\tlaptop" });
    expect(await describeRemains(new Platform(laptop), { volumes: false })).toBeUndefined();
    expect(await describeRemains(new Platform(laptop), { volumes: true })).toMatch(
      /"laptop" is not down: volume kafka-1-data exists but is not in this Terraform state: another clone deployed it, or the state was lost\. npm run adopt takes it over /,
    );
  });
});
