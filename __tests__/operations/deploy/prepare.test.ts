import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { describeForeignCa } from "../../../operations/deploy/foreign-ca";
import { prepareDeploy } from "../../../operations/deploy/prepare";
import { describeStaleCopy, describeStaleSecrets } from "../../../operations/deploy/stale-secrets";
import { abandonedJobs, findUnmanaged } from "../../../operations/deploy/unmanaged";
import { programsOnPath } from "../../support/programs";

jest.mock("../../../operations/synthesis/synthesize", () => ({ synthesize: async () => [] }));
jest.mock("../../../operations/machine/machine", () => ({ checkMachines: async () => ({}) }));
jest.mock("../../../operations/swarm/health", () => ({ waitForHealthySwarm: async () => {} }));
jest.mock("../../../operations/deploy/foreign-ca", () => ({ describeForeignCa: jest.fn() }));
jest.mock("../../../operations/deploy/stale-secrets", () => ({
  describeStaleCopy: jest.fn(),
  describeStaleSecrets: jest.fn(),
}));
jest.mock("../../../operations/deploy/unmanaged", () => ({
  ...jest.requireActual("../../../operations/deploy/unmanaged"),
  abandonedJobs: jest.fn(),
  findUnmanaged: jest.fn(),
}));
jest.mock("../../../operations/versions/refusals", () => ({
  describeVersionRefusals: async () => [],
}));
jest.mock("../../../operations/scaling/scaling", () => ({
  describeScaling: async () => ({ refusals: [], moves: [] }),
}));
let mockChanges: readonly object[] = [];
jest.mock("../../../operations/run/run", () => ({
  Run: class {
    readonly planned = [];
    async plan() {}
    async report() {
      return { changes: mockChanges, before: { containers: 12 } };
    }
    forgetPlans() {}
  },
}));

const { folder, program } = programsOnPath();
const calls = join(folder, "calls");
const job = {
  ...{ kind: "container", name: "kafka-init", id: "f00", environment: labSecured.name },
  ...{ stack: { engine: undefined }, address: "docker_container.kafka-init" },
};

beforeEach(() => {
  mockChanges = [];
  jest.spyOn(console, "log").mockImplementation();
  rmSync(calls, { force: true });
  // One container was created and never started.
  program("docker", `echo "$1" >>"${calls}"; [ "$1" != ps ] || echo c0ffee`);
  jest.mocked(findUnmanaged).mockResolvedValue([job] as never);
  jest.mocked(abandonedJobs).mockReturnValue([job] as never);
  for (const check of [describeForeignCa, describeStaleCopy, describeStaleSecrets]) {
    jest.mocked(check).mockReset().mockResolvedValue([]);
  }
});

const prepared = () => prepareDeploy(labSecured, { adopt: true });
const commands = () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []);

test("a deploy removes what an interrupted one did not start, and its finished jobs", async () => {
  expect((await prepared()).unmanaged).toEqual([]);
  expect(commands()).toEqual(["ps", "rm", "stop", "rm"]);
});

test("a stale copy of the secrets and of the state removes no container, since one may tell which secrets are deployed", async () => {
  jest.mocked(describeStaleCopy).mockResolvedValue(["the secrets are older"]);
  await expect(prepared()).rejects.toThrow("- the secrets are older");
  expect(commands()).toEqual([]);
});

test("a change that Groundwork cannot apply is refused, and keeps unmanaged jobs", async () => {
  mockChanges = [{ subject: "container kafka-init", refusals: ["Kafka cannot rename a topic"] }];
  await expect(prepared()).rejects.toThrow("- Kafka cannot rename a topic");
  expect(commands()).toEqual(["ps", "rm"]);
});

test("secrets of a foreign CA remove no container, and are not compared with the running ones", async () => {
  jest.mocked(describeForeignCa).mockResolvedValue(["the running nodes trust another CA"]);
  await expect(prepared()).rejects.toThrow("- the running nodes trust another CA");
  expect(commands()).toEqual([]);
  expect(describeStaleCopy).not.toHaveBeenCalled();
});

test("a deploy that the state refuses keeps unmanaged jobs", async () => {
  jest.mocked(describeStaleSecrets).mockResolvedValue(["the secrets are older"]);
  await expect(prepared()).rejects.toThrow("- the secrets are older");
  expect(commands()).toEqual(["ps", "rm"]);
});
