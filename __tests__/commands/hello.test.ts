import { hello } from "../../commands/hello";
import { describeForeignCa } from "../../operations/deploy/foreign-ca";
import { sayHello } from "../../operations/hello/hello";
import { ensureSecrets, missingSecrets } from "../../secrets/platform-secrets";
import { restoreVariables } from "../support/variables";

jest.mock("../../operations/engine/context", () => ({
  followContext: async (environment: unknown) => environment,
}));
jest.mock("../../operations/hello/hello", () => ({ sayHello: jest.fn() }));
jest.mock("../../operations/deploy/foreign-ca", () => ({ describeForeignCa: jest.fn() }));
jest.mock("../../secrets/platform-secrets", () => ({
  ...jest.requireActual("../../secrets/platform-secrets"),
  ensureSecrets: jest.fn(),
  missingSecrets: jest.fn(),
}));

restoreVariables();

beforeEach(() => {
  jest.clearAllMocks();
  process.env.GROUNDWORK_ENV = "lab-secured";
  jest.mocked(missingSecrets).mockReturnValue([]);
  jest.mocked(describeForeignCa).mockResolvedValue([]);
});
afterEach(() => expect(ensureSecrets).not.toHaveBeenCalled());

test("npm run hello uses the platform as an application, and writes no secrets", async () => {
  await hello("shop");
  const [[platform, , options]] = jest.mocked(sayHello).mock.calls;
  expect(platform.environment.name).toBe("lab-secured");
  expect(options.application).toBe("shop");
});

test("in a clone without the secrets it is refused, and makes no new CA", async () => {
  jest.mocked(missingSecrets).mockReturnValueOnce(["secrets/ca.key is missing"]);
  await expect(hello(undefined)).rejects.toThrow(
    "no changes made:\n- secrets/ca.key is missing, and npm run hello writes no secrets: run npm run up first",
  );
  expect(sayHello).not.toHaveBeenCalled();
});

test("with the secrets of another platform it is refused", async () => {
  jest.mocked(describeForeignCa).mockResolvedValueOnce(["the running nodes trust another CA"]);
  await expect(hello(undefined)).rejects.toThrow("- the running nodes trust another CA");
  expect(sayHello).not.toHaveBeenCalled();
});
