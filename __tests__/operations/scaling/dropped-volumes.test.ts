import { laptop } from "../../../environments/laptop";
import type { Action, Change } from "../../../operations/changes/change";
import type { Run } from "../../../operations/run/run";
import { describeDroppedVolumes } from "../../../operations/scaling/dropped-volumes";

/** Volumes of which the engine says how large they are, in KiB. */
let sizes: Record<string, string>;
let calls: string[];

jest.mock("../../../operations/engine/docker", () => ({
  async tryDockerAt(engine: { host: string } | undefined, ...args: string[]) {
    const volume = args.at(-1) as string;
    calls.push(`${volume} on ${engine?.host ?? "this machine"}`);
    return volume in sizes
      ? { exitCode: 0, output: `${volume} ${sizes[volume]} 1795953824` }
      : { exitCode: 125, output: "no such image" };
  },
}));

const of = (subject: string, action: Action, stack: string): Change => ({
  ...{ stack, address: subject, subject, action },
  ...{ details: [], destructive: [], warnings: [] },
});
const volume = (name: string, action: Action = "destroy", stack = "laptop-storage") =>
  of(`volume ${name}-data`, action, stack);
const container = (name: string, action: Action): Change => ({
  ...of(`container ${name}`, action, "laptop-messaging"),
  node: {
    ...{ cluster: name.split("-")[0], name, leavesNetwork: false, changesSecurity: false },
  },
});

function refusals(...changes: readonly Change[]): Promise<string[]> {
  const stacks = [
    { name: "laptop-storage" },
    { name: "laptop-storage-b", engine: { host: "ssh://ops@host-b" } },
  ];
  return describeDroppedVolumes(
    { platform: { environment: laptop }, stacks } as unknown as Run,
    changes,
  );
}

beforeEach(() => {
  sizes = {};
  calls = [];
});

test("fewer nodes after npm run down are refused, in both clusters", async () => {
  expect(
    await refusals(
      ...["kafka-1", "kafka-2", "kafka-3"].map((name) => container(name, "create")),
      ...["kafka-4", "kafka-5", "opensearch-4"].map((name) => volume(name)),
    ),
  ).toEqual([
    "kafka-4 and kafka-5 have data that nothing would move to the other nodes of kafka, since their containers do not exist: declare as many nodes as before, run npm run up, and remove them then",
    "opensearch-4 has data that nothing would move to the other nodes of opensearch, since its container does not exist: declare as many nodes as before, run npm run up, and remove it then",
  ]);
});

test("a node whose container somebody removed is refused, while one that the plans remove hands over its data", async () => {
  expect(
    await refusals(volume("kafka-4"), container("kafka-4", "destroy"), volume("kafka-5")),
  ).toEqual([expect.stringMatching(/^kafka-5 has data that nothing would move/)]);
});

test("a removal that was interrupted after the volume was forgotten is continued", async () => {
  expect(await refusals(container("kafka-4", "destroy"))).toEqual([]);
  expect(await refusals()).toEqual([]);
});

test("a volume that moves to another stack, is created or is of no node is not dropped", async () => {
  expect(
    await refusals(
      volume("kafka-3"),
      volume("kafka-3", "create", "laptop-storage-b"),
      volume("kafka-4", "create"),
      volume("prometheus"),
      of("volume opensearch-backups", "destroy", "laptop-storage"),
      of("network kafka-4", "destroy", "laptop-network"),
    ),
  ).toEqual([]);
  expect(calls).toEqual([]);
});

test("a volume that no node ever used, as after a first deploy that failed, is dropped", async () => {
  sizes = { "kafka-4-data": "4", "kafka-5-data": "8", "kafka-6-data": "-" };
  expect(
    await refusals(
      volume("kafka-4", "destroy", "laptop-storage-b"),
      volume("kafka-5"),
      volume("kafka-6"),
    ),
  ).toEqual([expect.stringMatching(/^kafka-5 and kafka-6 have data/)]);
  expect(calls).toEqual([
    "kafka-4-data on ssh://ops@host-b",
    "kafka-5-data on this machine",
    "kafka-6-data on this machine",
  ]);
});
