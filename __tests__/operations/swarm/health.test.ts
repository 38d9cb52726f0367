import type { EngineAddress } from "../../../environments";
import { lab, labThree } from "../../../lab/environments";
import { swarmProblem, waitForHealthySwarm } from "../../../operations/swarm/health";

const NO_LEADER =
  "Error response from daemon: rpc error: code = Unknown desc = The swarm does not have a leader.";
const WHOLE = ["a Ready Leader", "b Ready Reachable", "c Ready "];

/** Each manager's view of the nodes, by machine, or its error. */
let views: Record<string, readonly string[] | string>;
/** The number of queries to managers. */
let asked: number;

jest.mock("../../../operations/engine/docker", () => ({
  async askEngine({ host }: EngineAddress, ...args: string[]) {
    const name = /(\w+)\.sock$/.exec(host)?.[1] as string;
    if (args[0] === "info") {
      const Swarm = { NodeID: name, LocalNodeState: "active", ControlAvailable: name !== "c" };
      return { exitCode: 0, output: JSON.stringify({ ID: name, Swarm }) };
    }
    asked++;
    const view = views[name];
    return typeof view === "string"
      ? { exitCode: 1, output: view }
      : { exitCode: 0, output: view.join("\n") };
  },
}));

beforeEach(() => {
  asked = 0;
  views = { a: WHOLE, b: WHOLE };
});

test("a Swarm is healthy if every manager reports every machine as ready", async () => {
  views.b = [...WHOLE, "former Down Unreachable"];
  expect(await swarmProblem(labThree)).toBeUndefined();
  expect(asked).toBe(2);
});

test.each([
  ["a machine that is down", "c Down ", "c is down"],
  ["a machine that the leader has not heard from", "c Unknown ", "c is unknown"],
  ["a manager that the others cannot reach", "b Ready Unreachable", "b is unreachable"],
  ["a machine that has left it", "", "c is not a member"],
])("is unhealthy with %s", async (_, line, lack) => {
  views.a = [...WHOLE.filter((node) => node[0] !== (line[0] ?? "c")), line];
  expect(await swarmProblem(labThree)).toBe(
    `the Swarm is unhealthy: machine a reports that machine ${lack}`,
  );
});

test("is unhealthy with a manager that knows no leader, whatever the others report", async () => {
  views.b = NO_LEADER;
  expect(await swarmProblem(labThree)).toBe(
    `the Swarm is unhealthy: machine b reports: ${NO_LEADER}`,
  );
});

test("does not query excluded machines", async () => {
  views.a = WHOLE.filter((node) => node[0] !== "b");
  expect(await swarmProblem({ ...labThree, excludedMachines: ["b"] })).toBeUndefined();
  expect(asked).toBe(1);
});

describe("a deploy", () => {
  let said: string[];
  beforeEach(() => {
    said = [];
    jest.spyOn(console, "log").mockImplementation((line) => said.push(line));
    jest.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  test("waits for a healthy Swarm and prints why", async () => {
    views.b = NO_LEADER;
    const waited = waitForHealthySwarm(labThree);
    await jest.advanceTimersByTimeAsync(5000);
    views.b = WHOLE;
    await jest.advanceTimersByTimeAsync(5000);
    await waited;
    expect(said).toEqual([`  waiting: the Swarm is unhealthy: machine b reports: ${NO_LEADER}`]);
  });

  test("gives up after two minutes, and names the remedy", async () => {
    views.b = NO_LEADER;
    const refused = expect(waitForHealthySwarm(labThree)).rejects.toThrow(
      `no changes made, because a new container would get no network: the Swarm is unhealthy: machine b reports: ${NO_LEADER}; run docker node ls on a manager to see all members, or deploy without the failing machine: npm run up -- --exclude-machine <name>`,
    );
    await jest.advanceTimersByTimeAsync(125_000);
    await refused;
  });

  test("to one machine needs no Swarm", async () => {
    await waitForHealthySwarm(lab);
    expect(asked).toBe(0);
  });
});
