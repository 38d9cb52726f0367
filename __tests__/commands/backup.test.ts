import { backup } from "../../commands/backup";
import { takeBackup } from "../../operations/backup/take";
import { confirm } from "../../operations/terminal/confirm";
import { restoreVariables } from "../support/variables";

jest.mock("../../operations/backup/take", () => ({ takeBackup: jest.fn() }));
jest.mock("../../operations/engine/context", () => ({
  followContext: async (environment: unknown) => environment,
}));
jest.mock("../../operations/terminal/confirm", () => ({ confirm: jest.fn() }));

restoreVariables();
jest.spyOn(console, "log").mockImplementation();

beforeEach(() => {
  process.env.GROUNDWORK_ENV = "lab";
  jest.clearAllMocks();
});

test("taking over a repository asks, and says that the backups of the other cluster stay", async () => {
  await backup({ takeOver: true, yes: false });
  expect(confirm).toHaveBeenCalledWith(
    "lab",
    'Two clusters that write to one repository destroy its backups. With --take-over, this cluster writes to that of environment "lab". The backups of the other cluster stay, also beyond keep',
    "--take-over needs a confirmation, but standard input is not a terminal: add --yes",
  );
  expect(takeBackup).toHaveBeenCalledWith(
    expect.anything(),
    expect.objectContaining({ takeOver: true }),
  );
});

test.each([
  { takeOver: false, yes: false },
  { takeOver: true, yes: true },
])("a backup with %j asks nothing", async (options) => {
  await backup(options);
  expect(confirm).not.toHaveBeenCalled();
  expect(takeBackup).toHaveBeenCalledTimes(1);
});
