import { inventory } from "../../commands/inventory";
import { describeForeignCa } from "../../operations/deploy/foreign-ca";
import { describePendingSecrets } from "../../operations/drift/drift";
import { takeInventory } from "../../operations/inventory/inventory";
import { removeLeftOver } from "../../operations/inventory/remove";
import { withLock } from "../../operations/lock/lock";
import { restoreVariables } from "../support/variables";

jest.mock("../../operations/deploy/foreign-ca", () => ({ describeForeignCa: jest.fn() }));
jest.mock("../../operations/drift/drift", () => ({ describePendingSecrets: jest.fn() }));
jest.mock("../../operations/engine/context", () => ({
  followContext: async (environment: unknown) => environment,
}));
jest.mock("../../operations/inventory/inventory", () => ({ takeInventory: jest.fn() }));
jest.mock("../../operations/inventory/remove", () => ({ removeLeftOver: jest.fn() }));
jest.mock("../../operations/lock/lock", () => ({
  withLock: jest.fn((_: unknown, __: unknown, work: () => Promise<void>) => work()),
}));

const log = jest.spyOn(console, "log").mockImplementation();
const OPTIONS = { format: "json" as const, yes: false, forceUnlock: false };
const FOUND = { environment: "laptop", items: [], failures: [] };

restoreVariables();

beforeEach(() => {
  jest.clearAllMocks();
  process.env.GROUNDWORK_ENV = "lab";
  jest.mocked(describePendingSecrets).mockReturnValue([]);
  jest.mocked(describeForeignCa).mockResolvedValue([]);
  jest.mocked(takeInventory).mockResolvedValue(FOUND);
});

test("shows the inventory without a lock", async () => {
  await inventory(OPTIONS);
  expect(log).toHaveBeenCalledTimes(1);
  expect(JSON.parse(log.mock.calls[0][0])).toMatchObject({ environment: "laptop", items: [] });
  expect(withLock).not.toHaveBeenCalled();
});

test("fails if a service does not answer, after what is known", async () => {
  jest.mocked(takeInventory).mockResolvedValue({ ...FOUND, failures: ["Kafka is silent"] });
  await expect(inventory(OPTIONS)).rejects.toThrow("Kafka is silent");
  expect(log).toHaveBeenCalledTimes(1);
});

test("removes under the lock of the environment", async () => {
  await inventory({ ...OPTIONS, remove: ["topic/old"], yes: true, forceUnlock: true });
  const [[, lock]] = jest.mocked(withLock).mock.calls;
  expect(lock).toEqual({ command: "inventory", forceUnlock: true });
  const [[, , ids, options]] = jest.mocked(removeLeftOver).mock.calls;
  expect({ ids, options }).toEqual({ ids: ["topic/old"], options: { yes: true } });
  expect(takeInventory).not.toHaveBeenCalled();
});

test("needs no secrets in a plaintext environment", async () => {
  await inventory(OPTIONS);
  expect(describePendingSecrets).not.toHaveBeenCalled();
});

test("reads nothing with secrets that are missing or another platform's", async () => {
  process.env.GROUNDWORK_ENV = "lab-secured";
  jest.mocked(describePendingSecrets).mockReturnValueOnce(["a key pair is missing"]);
  await expect(inventory(OPTIONS)).rejects.toThrow("- a key pair is missing");
  expect(describePendingSecrets).toHaveBeenCalledWith(
    expect.anything(),
    expect.anything(),
    "npm run inventory",
  );
  jest.mocked(describeForeignCa).mockResolvedValueOnce(["foreign"]);
  await expect(inventory(OPTIONS)).rejects.toThrow("- foreign");
  expect(takeInventory).not.toHaveBeenCalled();
});
