import { laptop } from "../../environments/laptop";
import type { Change } from "../../operations/changes/change";
import { rollsOf } from "../../operations/changes/roll";
import { describeObstacles, type Stranger } from "../../operations/deploy/strangers";
import type { Stack } from "../../operations/synthesis/synthesize";

/** Something that the engine has, of an environment or of nobody's. */
const stranger = (kind: Stranger["kind"], name: string, environment?: string): Stranger => ({
  ...{ kind, name, environment, id: name, stack: {} as Stack },
  address: `docker_${kind}.${name}`,
});

test("one's own that the state does not know is told with its names and the way to take it over", () => {
  const own = [
    stranger("network", "infra_net", "laptop"),
    ...[1, 2, 3].map((node) => stranger("container", `kafka-${node}`, "laptop")),
    stranger("container", "grafana", "laptop"),
    stranger("volume", "kafka-1-data", "laptop"),
  ];
  expect(describeObstacles(own, laptop)).toEqual([
    'the engine has 1 network and 4 containers (infra_net, kafka-1, kafka-2 and 2 more) of environment "laptop" that this state does not know, since another clone deployed them or the state was lost: npm run adopt takes them over and loses nothing that is stored',
  ]);
  expect(describeObstacles(own, laptop, { adopt: true })).toEqual([]);
});

test("what belongs to another environment or to nobody is not taken over", () => {
  const others = [stranger("container", "kafka-1", "production"), stranger("network", "infra_net")];
  for (const adopt of [false, true]) {
    expect(describeObstacles(others, laptop, { adopt })).toEqual([
      'the engine has 1 container (kafka-1) of environment "production", and an engine takes one environment: GROUNDWORK_ENV=production npm run down stops that one, DOCKER_HOST names another engine',
      "the engine has 1 network (infra_net) of nobody's that this platform knows: remove that, or name another engine in DOCKER_HOST; a network of someone else's can be joined, with adopt in environments/laptop.ts",
    ]);
  }
});

test("volumes that are there are in nobody's way", () => {
  expect(describeObstacles([stranger("volume", "kafka-1-data", "laptop")], laptop)).toEqual([]);
});

describe("nodes that the state does not know", () => {
  const made = (name: string) =>
    ({
      ...{ stack: "laptop-messaging", address: `docker_container.${name}`, action: "create" },
      node: {
        ...{ cluster: "kafka", name },
        ...{ leavesNetwork: false, changesSecurity: false, changesQuorum: false },
      },
    }) as Change;
  const nodes = ["kafka-1", "kafka-2", "kafka-3"];

  test("are replaced one by one, as those that it knows", () => {
    const [roll] = rollsOf(nodes.map(made), {}, nodes);
    expect(roll.replaced.map(({ name }) => name)).toEqual(nodes);
    expect([roll.added, roll.obstacle]).toEqual([[], undefined]);
  });

  test("count as the cluster's: after an interruption the rest is still rolled", () => {
    const [roll] = rollsOf([made("kafka-3")], { kafka: 2 }, ["kafka-3"]);
    expect(roll.replaced.map(({ name }) => name)).toEqual(["kafka-3"]);
    expect(roll.obstacle).toBeUndefined();
  });

  test("are added where an interrupted deploy left them out, and the others rolled: their quorum stays", () => {
    const replaced = (name: string) => ({ ...made(name), action: "replace" }) as Change;
    const [roll] = rollsOf([replaced("kafka-1"), made("kafka-2"), replaced("kafka-3")], {
      kafka: 2,
    });
    expect([roll.replaced, roll.added].map((list) => list.map(({ name }) => name))).toEqual([
      ["kafka-1", "kafka-3"],
      ["kafka-2"],
    ]);
    expect(roll.obstacle).toBeUndefined();
  });

  test("are no roll when nothing of that name runs", () => {
    expect(rollsOf(nodes.map(made), {})).toEqual([]);
  });
});
