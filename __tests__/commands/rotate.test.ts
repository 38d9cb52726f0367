import { rotateSecrets } from "../../commands/rotate";
import { withLock } from "../../operations/lock/lock";
import { rotate } from "../../operations/rotation/rotate";
import { restoreVariables } from "../support/variables";

jest.mock("../../operations/rotation/rotate", () => ({
  checkTarget: jest.fn(),
  rotate: jest.fn(),
}));
const stillHeld = async () => undefined;

jest.mock("../../operations/lock/lock", () => ({
  withLock: jest.fn(
    (_: unknown, __: unknown, work: (asked: () => Promise<void>) => Promise<void>) =>
      work(stillHeld),
  ),
}));

restoreVariables();

test("an unavailable machine does not block the rotation of a password", async () => {
  process.env.GROUNDWORK_ENV = "lab-three-secured";
  const others = { atOnce: false, revoke: false, due: false, onlyIfDue: false };
  await rotateSecrets("shop", { ...others, excludeMachine: "c", forceUnlock: false });
  const [[environment, , target, options]] = jest.mocked(rotate).mock.calls;
  expect(environment.excludedMachines).toEqual(["c"]);
  expect([target, options]).toEqual(["shop", { ...others, stillHeld }]);
  const [[locked, lock]] = jest.mocked(withLock).mock.calls;
  expect([locked.name, lock]).toEqual([
    "lab-three-secured",
    { command: "rotate", forceUnlock: false },
  ]);
});
