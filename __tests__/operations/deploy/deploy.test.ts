import { laptop } from "../../../environments/laptop";
import { deployPlatform } from "../../../operations/deploy/deploy";
import { changedClusters } from "../../../operations/deploy/prepare";
import { findLeftOver } from "../../../operations/inventory/inventory";
import type { Run } from "../../../operations/run/run";
import { CommandError } from "../../../operations/terminal/terminal";

/** What a deploy did, in order. */
const steps: string[] = [];
/** What could not be compared with a cluster before it serves. */
const unknown = [{ cluster: "kafka", names: ["orders"] }];
/** What Terraform does with the resource of each stack. */
let actions: readonly string[];

jest.mock("../../../operations/deploy/prepare", () => ({
  ...jest.requireActual("../../../operations/deploy/prepare"),
  prepareDeploy: async (_: unknown, { adopt }: { readonly adopt: boolean }) => ({
    platform: {},
    adopts: adopt,
    unmanaged: [],
    run: {
      stillHeld: async () => steps.push("held?"),
      keepVolumes: async () => steps.push("keep volumes"),
      deploy: async () => steps.push("deploy"),
      forgetPlans: () => undefined,
      planned: actions.map((action) => ({ changes: true, actions: new Map([["x", action]]) })),
    },
  }),
}));
jest.mock("../../../operations/deploy/adopt", () => ({
  adoptUnmanaged: async () => steps.push("adopt"),
}));
jest.mock("../../../operations/deploy/data-loss", () => ({
  ...jest.requireActual("../../../operations/deploy/data-loss"),
  async confirmDataLoss() {
    steps.push("ask");
    return unknown;
  },
  confirmOnceStarted: async (_: unknown, names: unknown) => {
    steps.push("compare");
    expect(names).toBe(unknown);
  },
}));
jest.mock("../../../operations/deploy/retire", () => ({ retireSecrets: () => undefined }));
jest.mock("../../../operations/checks/acceptance", () => ({ checkAcceptance: async () => [] }));
jest.mock("../../../operations/inventory/inventory", () => ({ findLeftOver: jest.fn() }));
jest.mock("../../../operations/rolling/rolling", () => ({
  rollClusters: async () => steps.push("roll"),
  releaseReplicas: async () => steps.push("release"),
}));
jest.mock("../../../operations/scaling/scaling", () => ({
  keepNodes: async () => steps.push("keep nodes"),
  removeNodes: async () => steps.push("remove nodes"),
  removeVoters: async () => steps.push("remove voters"),
  fillNodes: async () => steps.push("fill nodes"),
}));

beforeEach(() => {
  actions = ["create", "update"];
  jest.mocked(findLeftOver).mockResolvedValue([]);
});

const FIRST = ["ask", "held?", "keep volumes", "release", "keep nodes", "remove voters"];
const LAST = [
  ...["compare", "held?", "remove nodes", "deploy"],
  ...["held?", "release", "keep nodes", "fill nodes"],
];

test.each([
  ["one node at a time", {}, [...FIRST, "roll", ...LAST]],
  ["all nodes at once", { atOnce: true }, [...FIRST, ...LAST]],
  ["after the state was lost", { adopt: true }, [...FIRST, "adopt", ...LAST]],
])(
  "a deploy, %s, asks before it changes anything, and again before the init sidecars run, takes back first and last what an interrupted one left, and removes voters before others are replaced, and other nodes after these are healthy",
  async (_, options, expected) => {
    jest.spyOn(console, "log").mockImplementation();
    steps.length = 0;
    await deployPlatform(laptop, options);
    expect(steps).toEqual(expected);
  },
);

test("a first deploy, which creates every resource, does not look for what an interrupted one left in new nodes", async () => {
  jest.spyOn(console, "log").mockImplementation();
  steps.length = 0;
  actions = ["create", "create"];
  await deployPlatform(laptop);
  expect(steps).toEqual([...FIRST, "roll", "compare", "held?", "remove nodes", "deploy"]);
});

test("a deploy lists what is left over, with the command that removes it", async () => {
  const log = jest.spyOn(console, "log").mockImplementation();
  jest.mocked(findLeftOver).mockResolvedValue([
    {
      ...{ cluster: "Kafka", kind: "topic", name: "old", state: "left-over", exists: true },
      ...{ details: "1 partition", removal: "npm run inventory -- --remove topic/old" },
    },
  ]);
  await deployPlatform(laptop);
  expect(log.mock.calls.flat()).toContain(
    [
      "\nleft over: 1 resource that Groundwork applied and that is no longer declared",
      "",
      "resource   details      remove it with",
      "topic old  1 partition  npm run inventory -- --remove topic/old",
    ].join("\n"),
  );
});

test("a deploy succeeds if what is left over is not known, and says so", async () => {
  const warn = jest.spyOn(console, "warn").mockImplementation();
  jest.spyOn(console, "log").mockImplementation();
  jest.mocked(findLeftOver).mockRejectedValue(new CommandError("Kafka is silent"));
  await deployPlatform(laptop);
  expect(warn).toHaveBeenCalledWith("warning: what is left over is not known: Kafka is silent");
});

test("versions are compared for clusters whose stack changes", () => {
  const planned = (layer: string, cluster: string | undefined, changes: boolean) => ({
    changes,
    stack: {
      layer,
      resources: [
        {
          type: "docker_container",
          body: { labels: cluster ? [{ label: "groundwork.cluster", value: cluster }] : [] },
        },
      ],
    },
  });
  const run = (...plans: readonly ReturnType<typeof planned>[]) =>
    changedClusters({ planned: plans } as unknown as Run);
  expect(
    run(
      planned("data", "opensearch", false),
      planned("messaging-a", "kafka", true),
      planned("messaging-b", "kafka", true),
      planned("observability", undefined, true),
    ),
  ).toEqual(["kafka"]);
});
