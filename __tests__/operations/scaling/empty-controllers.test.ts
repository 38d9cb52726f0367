import type { Environment } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { labThree } from "../../../lab/environments";
import type { Action, Change } from "../../../operations/changes/change";
import { Platform } from "../../../operations/platform/platform";
import type { Run } from "../../../operations/run/run";
import { describeEmptyControllers } from "../../../operations/scaling/empty-controllers";

/** The volumes on the engines, with their size in KiB. */
let volumes: Record<string, string>;
let calls: string[][];

jest.mock("../../../operations/engine/docker", () => ({
  async askEngine(_: unknown, ...args: string[]) {
    calls.push(args);
    return { exitCode: (args.at(-1) as string) in volumes ? 0 : 1, output: "" };
  },
  async tryDockerAt(_: unknown, ...args: string[]) {
    calls.push(args);
    const volume = args.at(-1) as string;
    return { exitCode: 0, output: `${volume} ${volumes[volume]} 1795953824` };
  },
}));

const BROKERS = ["kafka-1", "kafka-2", "kafka-3"];

function refusals(
  environment: Environment = laptop,
  action: Action = "create",
  brokers = BROKERS,
): Promise<string[]> {
  const changes = brokers.map(
    (name): Change => ({
      ...{ stack: "messaging", address: name, subject: `container ${name}`, action },
      ...{ details: [], destructive: [], warnings: [] },
      node: { ...{ cluster: "kafka", name, leavesNetwork: false, changesSecurity: false } },
    }),
  );
  return describeEmptyControllers(
    { platform: new Platform(environment) } as unknown as Run,
    changes,
  );
}

beforeEach(() => {
  volumes = { "kafka-1-data": "3145728" };
  calls = [];
});

const REFUSAL =
  'the Kafka cluster that exists has 1 controller, and a cluster that exists cannot change that: set kafka.controllers of environment "laptop" in environments/laptop.ts to 1, and kafka.brokers to 1 or more';

test("two empty controllers do not start beside the only one that has data, as after npm run down", async () => {
  expect(await refusals()).toEqual([REFUSAL]);
});

test("on several machines, the message names the volumes that may not have been copied", async () => {
  expect(await refusals(labThree)).toEqual([
    expect.stringMatching(
      /^the Kafka cluster that exists has 1 controller, .* or more\. If it had 3, copy the volumes of the others to their machines first, as docs\/how-to\/machines\.md describes$/,
    ),
  ]);
});

test.each([
  ["if the environment has one controller", { ...laptop, kafka: { brokers: 3, controllers: 1 } }],
  ["if it has one broker", { ...laptop, kafka: { brokers: 1 } }],
])("%s, it starts, and no engine is asked", async (_, environment) => {
  expect(await refusals(environment)).toEqual([]);
  expect(calls).toEqual([]);
});

test("controllers of a cluster that runs are no concern, and no engine is asked", async () => {
  expect(await refusals(laptop, "replace")).toEqual([]);
  expect(await refusals(laptop, "create", ["kafka-2", "kafka-3"])).toEqual([]);
  expect(calls).toEqual([]);
});

test("a first deploy, and one with the data of most controllers, start", async () => {
  volumes = {};
  expect(await refusals()).toEqual([]);
  volumes = { "kafka-1-data": "5000", "kafka-3-data": "5000" };
  expect(await refusals()).toEqual([]);
});

test("a first deploy that was interrupted before any broker started continues", async () => {
  volumes = { "kafka-1-data": "4" };
  expect(await refusals()).toEqual([]);
});
