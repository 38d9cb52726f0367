import { laptop } from "../../../environments/laptop";
import { deployPlatform } from "../../../operations/deploy/deploy";
import { changedClusters } from "../../../operations/deploy/prepare";
import type { Run } from "../../../operations/run/run";

/** What a deploy did, in order. */
const steps: string[] = [];

jest.mock("../../../operations/deploy/prepare", () => ({
  ...jest.requireActual("../../../operations/deploy/prepare"),
  prepareDeploy: async () => ({
    platform: {},
    unmanaged: [],
    run: { deploy: async () => steps.push("deploy"), forgetPlans: () => undefined },
  }),
}));
jest.mock("../../../operations/deploy/adopt", () => ({
  adoptUnmanaged: async () => steps.push("adopt"),
}));
jest.mock("../../../operations/deploy/data-loss", () => ({
  ...jest.requireActual("../../../operations/deploy/data-loss"),
  confirmDataLoss: async () => steps.push("ask"),
}));
jest.mock("../../../operations/deploy/retire", () => ({ retireSecrets: () => undefined }));
jest.mock("../../../operations/checks/acceptance", () => ({ checkAcceptance: async () => [] }));
jest.mock("../../../operations/rolling/rolling", () => ({
  rollClusters: async () => steps.push("roll"),
  releaseReplicas: async () => steps.push("release"),
}));

test.each([
  ["one node at a time", {}, ["ask", "release", "roll", "deploy", "release"]],
  ["all nodes at once", { atOnce: true }, ["ask", "release", "deploy", "release"]],
  ["after the state was lost", { adopt: true }, ["ask", "release", "adopt", "deploy", "release"]],
])(
  "a deploy, %s, asks before records are deleted, and releases replicas first, and last those of a cluster that did not serve",
  async (_, options, expected) => {
    jest.spyOn(console, "log").mockImplementation();
    steps.length = 0;
    await deployPlatform(laptop, options);
    expect(steps).toEqual(expected);
  },
);

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
