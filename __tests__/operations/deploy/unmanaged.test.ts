import { laptop } from "../../../environments/laptop";
import {
  describeObstacles,
  describeRemains,
  type UnmanagedResource,
} from "../../../operations/deploy/unmanaged";
import { Platform } from "../../../operations/platform/platform";
import type { Stack } from "../../../operations/synthesis/synthesize";
import { programsOnPath } from "../../support/programs";

/** Something that the engine has, of an environment or of nobody's. */
const resource = (
  kind: UnmanagedResource["kind"],
  name: string,
  environment?: string,
): UnmanagedResource => ({
  ...{ kind, name, environment, id: name, stack: {} as Stack },
  address: `docker_${kind}.${name}`,
});

test("one's own that the state does not know is told with its names and the way to take it over", () => {
  const own = [
    resource("network", "infra_net", "laptop"),
    ...[1, 2, 3].map((node) => resource("container", `kafka-${node}`, "laptop")),
    resource("container", "grafana", "laptop"),
    resource("volume", "kafka-1-data", "laptop"),
  ];
  expect(describeObstacles(laptop, own)).toEqual([
    'the engine has 1 network and 4 containers (infra_net, kafka-1, kafka-2 and 2 more) of environment "laptop" that this state does not know, since another clone deployed them or the state was lost: npm run adopt takes them over and loses nothing that is stored',
  ]);
  expect(describeObstacles(laptop, own, { adopt: true })).toEqual([]);
});

test("what belongs to another environment or to nobody is not taken over", () => {
  const others = [resource("container", "kafka-1", "production"), resource("network", "infra_net")];
  for (const adopt of [false, true]) {
    expect(describeObstacles(laptop, others, { adopt })).toEqual([
      'the engine has 1 container (kafka-1) of environment "production", and an engine takes one environment: GROUNDWORK_ENV=production npm run down stops that one, DOCKER_HOST names another engine',
      "the engine has 1 network (infra_net) of nobody's that this platform knows: remove that, or name another engine in DOCKER_HOST; a network of someone else's can be joined, with adopt in environments/laptop.ts",
    ]);
  }
});

test("volumes that are there are in nobody's way", () => {
  expect(describeObstacles(laptop, [resource("volume", "kafka-1-data", "laptop")])).toEqual([]);
});

describe("what is left of an environment that was taken down", () => {
  const { program } = programsOnPath();

  /** An engine that lists those, a line each: id, name and environment. */
  const engine = (kinds: Readonly<Record<"ps" | "network" | "volume", string>>) => {
    const cases = Object.entries(kinds).map(([kind, lines]) => `${kind}) printf '${lines}' ;;`);
    program("docker", `case "$1" in ${cases.join(" ")} esac`);
  };

  test("is named, and the way to take it down; what belongs to others is not", async () => {
    engine({
      ps: "1\\tkafka-1\\tlaptop\\n2\\tshop\\t\\n3\\tkafka-2\\tproduction",
      network: "4\\tinfra_net\\tlaptop\\n5\\tbridge\\t",
      volume: "kafka-1-data\\tkafka-1-data\\tlaptop",
    });
    const told = (things: string) =>
      `environment "laptop" is not down: the engine still has ${things} of it that this state does not know, since another clone deployed them or the state was lost: npm run adopt takes them over and loses nothing that is stored, then npm run down takes them down`;
    expect(await describeRemains(new Platform(laptop), { volumes: false })).toBe(
      told("1 network and 1 container (kafka-1, infra_net)"),
    );
    expect(await describeRemains(new Platform(laptop), { volumes: true })).toBe(
      told("1 network, 1 container and 1 volume (kafka-1, infra_net, kafka-1-data)"),
    );
  });

  test("is nothing where only its volumes are, unless they were to go too", async () => {
    engine({ ps: "", network: "5\\tbridge\\t", volume: "kafka-1-data\\tkafka-1-data\\tlaptop" });
    expect(await describeRemains(new Platform(laptop), { volumes: false })).toBeUndefined();
    expect(await describeRemains(new Platform(laptop), { volumes: true })).toMatch(
      /1 volume \(kafka-1-data\)/,
    );
  });
});
