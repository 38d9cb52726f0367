import type { EngineAddress } from "../../../environments";
import { lab, labThree } from "../../../lab/environments";
import { makeSwarm } from "../../../operations/swarm/swarm";

interface FakeEngine {
  /** The Swarm of the engine, by the name of its first manager. */
  swarm?: string;
  manager?: boolean;
  gone?: boolean;
  /** What it answers to a request to join a Swarm that it refuses. */
  refuses?: string;
  /** ID of the engine that it really is. */
  same?: string;
}

let engines: Record<string, FakeEngine>;
/** Nodes of `a`'s Swarm without an engine: id, role, state and address. */
let former: string[];
let calls: string[];

const nameOf = ({ host }: EngineAddress) => /(\w+)\.sock$/.exec(host)?.[1] as string;

/** Engines that answer the Swarm commands used here. */
async function fakeDocker(engine: EngineAddress, ...args: string[]): Promise<string> {
  const name = nameOf(engine);
  const own = engines[name];
  if (args[0] === "info" && args[2] === "{{.Swarm.NodeID}}") {
    return `id-of-${name}`;
  }
  if (args[0] === "info") {
    return JSON.stringify({
      ID: own.same ?? name,
      Swarm: {
        NodeID: own.swarm ? `id-of-${name}` : "",
        LocalNodeState: own.swarm ? "active" : "inactive",
        ControlAvailable: own.manager ?? false,
      },
    });
  }
  const members = Object.keys(engines).filter((one) => engines[one].swarm === own.swarm);
  if (args[1] === "ls") {
    return members.map((one) => `id-of-${one}`).join("\n");
  }
  if (args[1] === "inspect") {
    const nodes = members.map(
      (one) => `id-of-${one} manager ready 10.231.86.${"abcd".indexOf(one) + 11}`,
    );
    return [...nodes, ...former].join("\n");
  }
  if (args[1] === "join-token" && args[2] !== "--rotate") {
    return `token-of-a-${args[3]}`;
  }
  calls.push(`${name}: ${args.join(" ")}`);
  return "";
}

jest.mock("../../../operations/engine/docker", () => ({
  dockerAt: (engine: EngineAddress, ...args: string[]) => fakeDocker(engine, ...args),
  tryDockerAt: async (engine: EngineAddress, ...args: string[]) => {
    const output = await fakeDocker(engine, ...args);
    const { refuses } = engines[nameOf(engine)];
    return refuses ? { exitCode: 1, output: refuses } : { exitCode: 0, output };
  },
  askEngine: async (engine: EngineAddress, ...args: string[]) =>
    engines[nameOf(engine)].gone
      ? { exitCode: 1, output: "Cannot connect to the Docker daemon" }
      : { exitCode: 0, output: await fakeDocker(engine, ...args) },
}));

let said: string[];
beforeEach(() => {
  engines = { a: {}, b: {}, c: {}, d: {} };
  former = [];
  calls = [];
  said = [];
  jest.spyOn(console, "log").mockImplementation((line) => said.push(line));
});
afterEach(() => jest.restoreAllMocks());

const machines = [
  ...(labThree.machines ?? []),
  { name: "d", engine: "unix:///run/groundwork-lab/d.sock", address: "10.231.86.14" },
];

test("three machines become one Swarm of managers, by their declared addresses", async () => {
  await makeSwarm(labThree);
  expect(calls).toEqual([
    "a: swarm init --advertise-addr 10.231.86.11",
    "b: swarm join --token token-of-a-worker --advertise-addr 10.231.86.12 10.231.86.11:2377",
    "a: node promote id-of-b",
    "c: swarm join --token token-of-a-worker --advertise-addr 10.231.86.13 10.231.86.11:2377",
    "a: node promote id-of-c",
    "a: swarm join-token --rotate --quiet worker",
  ]);
  expect(said).toEqual([
    "a: created the Swarm as its first manager",
    "b: joined as manager",
    "c: joined as manager",
  ]);
});

test("a fourth machine is a worker", async () => {
  await makeSwarm({ ...labThree, machines });
  expect(calls.slice(-2)).toEqual([
    "d: swarm join --token token-of-a-worker --advertise-addr 10.231.86.14 10.231.86.11:2377",
    "a: swarm join-token --rotate --quiet worker",
  ]);
  expect(said.at(-1)).toBe("d: joined as worker");
});

test("a second run changes nothing", async () => {
  engines = {
    a: { swarm: "a", manager: true },
    b: { swarm: "a", manager: true },
    c: { swarm: "a", manager: true },
  };
  await makeSwarm(labThree);
  expect(calls).toEqual([]);
  expect(said).toEqual([
    "a: already in the Swarm",
    "b: already in the Swarm",
    "c: already in the Swarm",
  ]);
});

test("a worker among the first three machines, left by an interrupted run, becomes a manager", async () => {
  engines = {
    a: { swarm: "a", manager: true },
    b: { swarm: "a" },
    c: { swarm: "a", manager: true },
  };
  await makeSwarm(labThree);
  expect(calls).toEqual(["a: node promote id-of-b"]);
  expect(said).toEqual([
    "a: already in the Swarm",
    "b: promoted to manager",
    "c: already in the Swarm",
  ]);
});

test("a machine that cannot join is named with the remedy and without the token, which is replaced", async () => {
  engines.b.refuses = "could not use token-of-a-worker: connection refused";
  await expect(makeSwarm(labThree)).rejects.toThrow(
    "machine b cannot join the Swarm of machine a at 10.231.86.11: could not use <token>: connection refused; open TCP port 2377 between the machines, then run npm run swarm again",
  );
  expect(calls.at(-1)).toBe("a: swarm join-token --rotate --quiet worker");
});

test("a new first machine joins the existing members", async () => {
  engines.b = { swarm: "b", manager: true };
  engines.c = { swarm: "b", manager: true };
  await makeSwarm(labThree);
  expect(calls).toEqual([
    "a: swarm join --token token-of-a-worker --advertise-addr 10.231.86.11 10.231.86.12:2377",
    "b: node promote id-of-a",
    "b: swarm join-token --rotate --quiet worker",
  ]);
});

test("a reinstalled machine replaces only its own former node", async () => {
  engines.a = { swarm: "a", manager: true };
  engines.b = { swarm: "a", manager: true };
  former = ["old-c manager down 10.231.86.13", "not-ours worker down 10.0.0.9"];
  await makeSwarm(labThree);
  expect(calls).toEqual([
    "a: node demote old-c",
    "a: node rm old-c",
    "c: swarm join --token token-of-a-worker --advertise-addr 10.231.86.13 10.231.86.11:2377",
    "a: node promote id-of-c",
    "a: swarm join-token --rotate --quiet worker",
  ]);
  expect(said[0]).toBe("c: removed its former node from the Swarm");
});

test.each(["ready", "unknown"])(
  "a former node that is still reported as %s is removed once it is down",
  async (state) => {
    engines.a = { swarm: "a", manager: true };
    engines.b = { swarm: "a", manager: true };
    former = [`old-c manager ${state} 10.231.86.13`];
    setTimeout(() => {
      former = ["old-c manager down 10.231.86.13"];
    }, 100);
    await makeSwarm(labThree);
    expect(calls).toContain("a: node rm old-c");
  },
);

test.each([
  ["a manager", { swarm: "else", manager: true }, "c"],
  ["a worker", { swarm: "else" }, "c"],
])("%s of another Swarm is refused before any change", async (_, other, name) => {
  engines.a = { swarm: "a", manager: true };
  engines[name] = other;
  await expect(makeSwarm(labThree)).rejects.toThrow(
    [
      "no changes made:",
      "- machine c is in a different Swarm than a: run docker --host unix:///run/groundwork-lab/c.sock swarm leave, with --force if it is a manager there",
    ].join("\n"),
  );
  expect(calls).toEqual([]);
});

test("an engine that does not answer is named", async () => {
  engines.b.gone = true;
  await expect(makeSwarm(labThree)).rejects.toThrow(
    "machine b: no Docker engine answers at unix:///run/groundwork-lab/b.sock: Cannot connect to the Docker daemon",
  );
  expect(calls).toEqual([]);
});

test("two machines on one engine are refused", async () => {
  engines.c.same = "b";
  await expect(makeSwarm(labThree)).rejects.toThrow(
    "machines b and c are the same Docker engine: give each machine its own, since replicas on one engine are lost together",
  );
  expect(calls).toEqual([]);
});

test("one machine needs no Swarm", async () => {
  await expect(makeSwarm(lab)).rejects.toThrow(
    'environment "lab" has one machine and needs no Swarm: for several, declare machines in lab/environments.ts',
  );
});
