import { setTimeout } from "node:timers/promises";
import { showDrift } from "../../commands/drift";
import { NO_CONSEQUENCES } from "../../operations/changes/report";
import { describeForeignCa } from "../../operations/deploy/foreign-ca";
import { describeStaleSecrets } from "../../operations/deploy/stale-secrets";
import { type DriftReport, describePendingSecrets, findDrift } from "../../operations/drift/drift";
import { recordRun } from "../../operations/drift/record";
import { findHolder, withLock } from "../../operations/lock/lock";
import { describeOwner, type Owner } from "../../operations/lock/owner";
import { checkMachines } from "../../operations/machine/machine";
import { Run } from "../../operations/run/run";
import { CommandError } from "../../operations/terminal/terminal";

jest.mock("../../operations/deploy/foreign-ca", () => ({ describeForeignCa: jest.fn() }));
jest.mock("../../operations/deploy/stale-secrets", () => ({ describeStaleSecrets: jest.fn() }));
jest.mock("../../operations/drift/drift", () => ({
  ...jest.requireActual("../../operations/drift/drift"),
  describePendingSecrets: jest.fn(),
  findDrift: jest.fn(),
}));
jest.mock("../../operations/drift/record", () => ({ recordRun: jest.fn() }));
jest.mock("../../operations/engine/context", () => ({
  followContext: async (environment: unknown) => environment,
}));
jest.mock("../../operations/lock/lock", () => ({
  findHolder: jest.fn(),
  withLock: jest.fn(),
}));
jest.mock("../../operations/machine/machine", () => ({ checkMachines: jest.fn() }));
jest.mock("../../operations/run/run", () => ({ Run: jest.fn() }));
jest.mock("../../operations/synthesis/inputs", () => ({ missingInputs: () => [] }));
jest.mock("../../operations/synthesis/synthesize", () => ({ synthesize: async () => [] }));

const totals = { containers: 1, memoryReservationMiB: 1, nodes: {} };
const REPORT: DriftReport = {
  ...{
    environment: "laptop",
    guarantees: [],
    resources: [],
    leftOver: [],
    notes: [],
    failures: [],
  },
  plan: {
    ...{ environment: "laptop", against: "the deployed platform", changes: [], rolls: [] },
    ...{ before: totals, after: totals, memoryBudgetMiB: 1, consequences: NO_CONSEQUENCES },
  },
};
const RESOURCES = [{ resource: "topic orders", actual: "does not exist" }];

const log = jest.spyOn(console, "log").mockImplementation();
const plan = jest.fn();
const forgetPlans = jest.fn();
const { exitCode } = process;

beforeEach(() => {
  jest.clearAllMocks();
  plan.mockResolvedValue(undefined);
  jest.mocked(Run).mockReturnValue({ plan, forgetPlans } as unknown as Run);
  jest.mocked(describePendingSecrets).mockReturnValue([]);
  jest.mocked(describeForeignCa).mockResolvedValue([]);
  jest.mocked(describeStaleSecrets).mockResolvedValue([]);
  jest.mocked(findHolder).mockReset().mockResolvedValue(undefined);
  jest.mocked(findDrift).mockResolvedValue(REPORT);
  jest.mocked(recordRun).mockResolvedValue([]);
});
afterEach(() => {
  expect(withLock).not.toHaveBeenCalled();
  process.exitCode = exitCode;
});

test.each([
  ["no drift", REPORT, 0, 'environment "laptop" has no drift'],
  ["drift", { ...REPORT, resources: RESOURCES }, 2, "topic orders: does not exist"],
  ["a silent service", { ...REPORT, failures: ["Kafka is silent"] }, 1, "Kafka is silent"],
])("%s sets the exit code, without a lock, and leaves no plan", async (_, report, code, line) => {
  jest.mocked(findDrift).mockResolvedValue(report);
  await showDrift({ format: "terminal" });
  expect(process.exitCode).toBe(code);
  expect(log.mock.calls.join("\n")).toContain(line);
  expect(forgetPlans).toHaveBeenCalledTimes(1);
  expect(jest.mocked(Run).mock.calls.map(([, , , options]) => options)).toEqual([
    { readOnly: true },
  ]);
  // A run that could not compare is none.
  expect(recordRun).toHaveBeenCalledTimes(code === 1 ? 0 : 1);
});

describe("while another command has the lock", () => {
  const HOLDER: Owner = {
    ...{ command: "npm run up", user: "ada", host: "build-7", hostId: "", processes: "" },
    ...{ pid: "4711", started: "", since: new Date().toISOString() },
  };
  const DRIFT = { ...REPORT, resources: RESOURCES };
  const error = jest.spyOn(console, "error").mockImplementation();

  function expectNotCompared() {
    expect(process.exitCode).toBe(3);
    expect(error.mock.calls).toEqual([
      [
        `environment "laptop" was not compared, since another command changes it: ${describeOwner(HOLDER)}. Run npm run drift again once that has ended. If it does not run any more, npm run up -- --force-unlock takes its lock`,
      ],
    ]);
    expect(log).not.toHaveBeenCalled();
    expect(recordRun).not.toHaveBeenCalled();
  }

  test("nothing is planned, since what is not deployed yet looks like drift", async () => {
    jest.mocked(findHolder).mockResolvedValue(HOLDER);
    await showDrift({ format: "markdown" });
    expectNotCompared();
    expect(plan).not.toHaveBeenCalled();
  });

  test("a lock that is older than a day is a failure, since it would end every comparison", async () => {
    const since = new Date(Date.now() - 25 * 3_600_000).toISOString();
    jest.mocked(findHolder).mockResolvedValue({ ...HOLDER, since });
    await expect(showDrift({ format: "markdown" })).rejects.toThrow(
      `environment "laptop" cannot be compared, since another command has had the lock for more than a day: ${describeOwner({ ...HOLDER, since })}. If it does not run any more, npm run up -- --force-unlock takes its lock`,
    );
  });

  test.each<[string, () => Promise<DriftReport>]>([
    ["drift", async () => DRIFT],
    [
      "a failure",
      async () => {
        throw new CommandError("no such container");
      },
    ],
  ])("%s is no finding if that command began and ended during the comparison", async (_, end) => {
    jest.mocked(findHolder).mockResolvedValueOnce(undefined).mockResolvedValueOnce(HOLDER);
    jest.mocked(findDrift).mockImplementation(async () => {
      while (jest.mocked(findHolder).mock.calls.length < 2) {
        await setTimeout(20);
      }
      return end();
    });
    await showDrift({ format: "json" });
    expect(process.exitCode).toBe(3);
    expect(error.mock.calls).toEqual([
      [
        `environment "laptop" was not compared, since another command changed it meanwhile and has ended: ${describeOwner(HOLDER)}. Run npm run drift again`,
      ],
    ]);
    expect(log).not.toHaveBeenCalled();
    expect(recordRun).not.toHaveBeenCalled();
  });

  test.each([
    ["drift", DRIFT],
    ["a silent service", { ...REPORT, failures: ["Kafka is silent"] }],
  ])("%s is no finding if that command began during the comparison", async (_, report) => {
    jest.mocked(findHolder).mockResolvedValueOnce(undefined).mockResolvedValue(HOLDER);
    jest.mocked(findDrift).mockResolvedValue(report);
    await showDrift({ format: "json" });
    expectNotCompared();
    expect(forgetPlans).toHaveBeenCalledTimes(1);
  });

  test("nor is an error, such as a state that it locks", async () => {
    jest.mocked(findHolder).mockResolvedValueOnce(undefined).mockResolvedValue(HOLDER);
    plan.mockRejectedValueOnce(new CommandError("the state is locked"));
    await showDrift({ format: "terminal" });
    expectNotCompared();
  });

  test("a platform without drift has none, whatever began meanwhile", async () => {
    jest.mocked(findHolder).mockResolvedValueOnce(undefined).mockResolvedValue(HOLDER);
    await showDrift({ format: "terminal" });
    expect(process.exitCode).toBe(0);
    expect(recordRun).toHaveBeenCalledTimes(1);
  });
});

test("a run that is not recorded is a warning beside the report", async () => {
  const warn = jest.spyOn(console, "warn").mockImplementation();
  jest.mocked(recordRun).mockResolvedValueOnce(["no such image"]);
  await showDrift({ format: "json" });
  expect(warn.mock.calls).toEqual([["warning: no such image"]]);
  expect(JSON.parse(log.mock.calls[0][0])).toMatchObject({ drift: false });
  expect(process.exitCode).toBe(0);
});

test("JSON is all that is written to standard output", async () => {
  jest.mocked(findDrift).mockResolvedValue({ ...REPORT, resources: RESOURCES });
  await showDrift({ format: "json" });
  const [[text], ...more] = log.mock.calls;
  expect(more).toEqual([]);
  expect(JSON.parse(text)).toMatchObject({ drift: true, resources: RESOURCES });
});

test.each<[string, () => void, string]>([
  [
    "a secret that a synth would write",
    () => jest.mocked(describePendingSecrets).mockReturnValueOnce(["a key pair is missing"]),
    "- a key pair is missing",
  ],
  [
    "an engine that does not answer",
    () => jest.mocked(checkMachines).mockRejectedValueOnce(new CommandError("no engine")),
    "no engine",
  ],
  [
    "a state that does not answer",
    () => plan.mockRejectedValueOnce(new CommandError("no state")),
    "no state",
  ],
  [
    "a foreign CA",
    () => jest.mocked(describeForeignCa).mockResolvedValueOnce(["foreign"]),
    "- foreign",
  ],
  [
    "secrets of another clone",
    () => jest.mocked(describeStaleSecrets).mockResolvedValueOnce(["stale"]),
    "- stale",
  ],
])("%s is a failure, and nothing is compared", async (_, fail, message) => {
  fail();
  await expect(showDrift({ format: "terminal" })).rejects.toThrow(message);
  expect(findDrift).not.toHaveBeenCalled();
  expect(log).not.toHaveBeenCalled();
});
