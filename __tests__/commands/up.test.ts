import { up } from "../../commands/up";
import { deployPlatform } from "../../operations/deploy/deploy";

jest.mock("../../operations/deploy/deploy", () => ({ deployPlatform: jest.fn() }));

const { GROUNDWORK_ENV } = process.env;
const warn = jest.spyOn(console, "warn").mockImplementation();

beforeEach(() => {
  process.env.GROUNDWORK_ENV = "lab-three";
  jest.clearAllMocks();
});

afterAll(() => {
  if (GROUNDWORK_ENV === undefined) {
    delete process.env.GROUNDWORK_ENV;
  } else {
    process.env.GROUNDWORK_ENV = GROUNDWORK_ENV;
  }
});

/** The machines that a deploy leaves out. */
async function excludedBy(options: Omit<Parameters<typeof up>[0], "atOnce">) {
  await up({ atOnce: false, ...options });
  const [[environment]] = jest.mocked(deployPlatform).mock.calls;
  return environment.excludedMachines;
}

test("a machine that is gone is excluded", async () => {
  expect(await excludedBy({ excludeMachine: "c" })).toEqual(["c"]);
  expect(warn.mock.calls).toEqual([]);
});

test("the option is also taken by its former name, with a warning", async () => {
  expect(await excludedBy({ without: "c" })).toEqual(["c"]);
  expect(warn.mock.calls).toEqual([["warning: --without is deprecated: use --exclude-machine"]]);
});
