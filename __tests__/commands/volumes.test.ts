import { volumes } from "../../commands/volumes";
import { removeOrphans } from "../../operations/volumes/remove-orphans";
import { listVolumes } from "../../operations/volumes/volumes";

const steps: string[] = [];
const stillHeld = async () => undefined;

jest.mock("../../operations/engine/context", () => ({
  followContext: async (environment: unknown) => environment,
}));
jest.mock("../../operations/lock/lock", () => ({
  async withLock(_: unknown, __: unknown, work: (asked: () => Promise<void>) => unknown) {
    steps.push("lock");
    return work(stillHeld);
  },
}));
jest.mock("../../operations/volumes/volumes", () => ({ listVolumes: jest.fn() }));
jest.mock("../../operations/volumes/remove-orphans", () => ({
  removeOrphans: jest.fn(async () => {
    steps.push("remove");
  }),
}));

const LISTING = { volumes: [], problems: ["machine c: the Docker engine does not answer"] };

beforeEach(() => {
  steps.length = 0;
  jest.spyOn(console, "log").mockImplementation();
  jest.mocked(listVolumes).mockImplementation(async () => {
    steps.push("list");
    return LISTING;
  });
});

test("volumes are listed without a lock", async () => {
  const options = { format: "terminal", removeOrphans: false, forceUnlock: false } as const;
  await expect(volumes(options)).rejects.toThrow(LISTING.problems[0]);
  expect(steps).toEqual(["list"]);
});

test("orphans are looked for under the lock, since another command may need one until it ends", async () => {
  const options = { format: "terminal", removeOrphans: true, forceUnlock: false } as const;
  await expect(volumes(options)).rejects.toThrow(LISTING.problems[0]);
  expect(steps).toEqual(["lock", "list", "remove"]);
  expect(jest.mocked(removeOrphans).mock.calls[0].slice(1)).toEqual([LISTING.volumes, stillHeld]);
});
