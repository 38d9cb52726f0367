import { up } from "../../commands/up";
import { deployPlatform } from "../../operations/deploy/deploy";
import { restoreVariables } from "../support/variables";

jest.mock("../../operations/deploy/deploy", () => ({ deployPlatform: jest.fn() }));
const stillHeld = async () => undefined;

jest.mock("../../operations/lock/lock", () => ({
  withLock: (_: unknown, __: unknown, work: (asked: () => Promise<void>) => Promise<void>) =>
    work(stillHeld),
}));

restoreVariables();
const warn = jest.spyOn(console, "warn").mockImplementation();

beforeEach(() => {
  process.env.GROUNDWORK_ENV = "lab-three";
  jest.clearAllMocks();
});

/** Returns the machines that a deploy excludes. */
async function excludedBy(options: Omit<Parameters<typeof up>[0], "atOnce">) {
  await up({ atOnce: false, ...options });
  const [[environment]] = jest.mocked(deployPlatform).mock.calls;
  return environment.excludedMachines;
}

test("an unavailable machine is excluded", async () => {
  expect(await excludedBy({ excludeMachine: "c" })).toEqual(["c"]);
  expect(warn.mock.calls).toEqual([]);
});

test("declared changes may delete records only if that is allowed", async () => {
  await up({ atOnce: false, allowDataLoss: true });
  await up({ atOnce: false });
  expect(jest.mocked(deployPlatform).mock.calls.map(([, options]) => options)).toEqual([
    { atOnce: false, allowDataLoss: true, stillHeld },
    { atOnce: false, allowDataLoss: undefined, stillHeld },
  ]);
});

test("the deprecated option still works, with a warning", async () => {
  expect(await excludedBy({ without: "c" })).toEqual(["c"]);
  expect(warn.mock.calls).toEqual([["warning: --without is deprecated: use --exclude-machine"]]);
});
