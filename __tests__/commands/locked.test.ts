import { adopt } from "../../commands/adopt";
import { down } from "../../commands/down";
import { deployPlatform } from "../../operations/deploy/deploy";
import { destroyPlatform } from "../../operations/deploy/destroy";

const stillHeld = async () => undefined;

jest.mock("../../operations/engine/context", () => ({
  followContext: async (environment: unknown) => environment,
}));
jest.mock("../../operations/deploy/deploy", () => ({ deployPlatform: jest.fn() }));
jest.mock("../../operations/deploy/destroy", () => ({ destroyPlatform: jest.fn() }));
jest.mock("../../operations/lock/lock", () => ({
  withLock: (_: unknown, __: unknown, work: (asked: () => Promise<void>) => Promise<void>) =>
    work(stillHeld),
}));

test("adopt and down ask before each step whether they still have the lock", async () => {
  await adopt({ forceUnlock: false });
  const [[, adopted]] = jest.mocked(deployPlatform).mock.calls;
  expect(adopted).toEqual({ adopt: true, stillHeld });
  await down({ volumes: false, yes: false, forceUnlock: false });
  const [[, destroyed]] = jest.mocked(destroyPlatform).mock.calls;
  expect(destroyed).toEqual({ volumes: false, stillHeld });
});
