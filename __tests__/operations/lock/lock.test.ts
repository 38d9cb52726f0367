import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import execa from "execa";
import { laptop } from "../../../environments/laptop";
import { labThree } from "../../../lab/environments";
import { findHolder, withLock } from "../../../operations/lock/lock";
import { describeOwner, type Owner } from "../../../operations/lock/owner";
import { checkMachines } from "../../../operations/machine/machine";
import { confirm } from "../../../operations/terminal/confirm";
import { CommandError } from "../../../operations/terminal/terminal";

type Labels = Record<string, string>;

/** The volumes of each engine that answers: their labels by name. */
let engines: Record<string, Map<string, Labels>>;
/** Called after each volume is created, as another process would act meanwhile. */
let meanwhile: (host: string) => void;
/** Awaited before a volume is removed, as by a process that is slow. */
let beforeRemoval: (name: string) => Promise<unknown>;

/** Answers as an engine does: a volume that exists keeps its labels. */
jest.mock("../../../operations/engine/docker", () => ({
  async askEngine(
    engine: { host: string } | undefined,
    what: string,
    action: string,
    ...args: string[]
  ) {
    const host = engine?.host ?? "here";
    const volumes = engines[host];
    const name = args.at(-1) ?? "";
    if (volumes === undefined) {
      return { exitCode: 1, output: "no answer" };
    }
    if (what === "version") {
      return { exitCode: 0, output: "28.5.2" };
    }
    if (action === "create") {
      const labels = args.flatMap((arg, i) => (args[i - 1] === "--label" ? [arg] : []));
      if (!volumes.has(name)) {
        volumes.set(name, Object.fromEntries(labels.map((label) => label.split(/=(.*)/s))));
      }
      meanwhile(host);
      return { exitCode: 0, output: name };
    }
    const labels = volumes.get(name);
    if (labels === undefined) {
      return { exitCode: 1, output: `no such volume: ${name}` };
    }
    if (action === "rm") {
      await beforeRemoval(name);
      volumes.delete(name);
    }
    return { exitCode: 0, output: JSON.stringify(labels) };
  },
}));

/** The clone's folder. */
let clone: string;

jest.mock("../../../operations/synthesis/project", () => ({
  get PROJECT_ROOT() {
    return clone;
  },
}));
jest.mock("../../../operations/lock/host", () => ({
  ...jest.requireActual("../../../operations/lock/host"),
  hostId: () => "this-machine",
}));
/** With patience for one more look. */
jest.mock("../../../operations/terminal/poll", () => ({
  async poll<Seen>(look: () => Promise<Seen>, isWanted: (seen: Seen) => boolean) {
    const seen = await look();
    return isWanted(seen) ? seen : look();
  },
}));
jest.mock("../../../operations/machine/machine", () => ({ checkMachines: jest.fn() }));
jest.mock("../../../operations/terminal/confirm", () => ({ confirm: jest.fn() }));

const LOCK = "groundwork-lock-laptop";

/** The labels of a lock that another process has held for 12 minutes. */
function held(labels: Labels = {}): Labels {
  const owner = {
    ...{ command: "npm run up", user: "ada", host: "build-7", processes: "elsewhere", pid: "4711" },
    ...{ started: "1", since: ago(12), id: "theirs" },
  };
  return {
    "groundwork.lock": "laptop",
    ...Object.fromEntries(
      Object.entries({ ...owner, ...labels }).map(([name, value]) => [
        `groundwork.lock.${name}`,
        value,
      ]),
    ),
  };
}

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

/** The labels of a lock whose process ended: no process has this id. */
const ENDED = { "groundwork.lock.id": "ended", "groundwork.lock.pid": "4194305" };

let said: string[];
beforeEach(() => {
  engines = { here: new Map() };
  clone = mkdtempSync(join(tmpdir(), "clone-"));
  meanwhile = () => undefined;
  beforeRemoval = async () => undefined;
  said = [];
  jest.mocked(confirm).mockReset();
  jest.mocked(checkMachines).mockReset();
  jest.spyOn(console, "log").mockImplementation((line) => said.push(line));
  jest.spyOn(console, "warn").mockImplementation();
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(clone, { recursive: true });
});

/** Runs work under the lock and returns the lock's labels meanwhile. */
async function locked(options: { readonly forceUnlock?: boolean } = {}): Promise<Labels> {
  return withLock(laptop, { command: "up", ...options }, async () => ({
    ...(engines.here.get(LOCK) ?? {}),
  }));
}

test("the engine holds the lock while the work runs, with who holds it", async () => {
  expect(await locked()).toMatchObject({
    "groundwork.lock": "laptop",
    "groundwork.lock.command": "npm run up",
    "groundwork.lock.pid": String(process.pid),
  });
  expect(engines.here.size).toBe(0);
});

test("work that fails unlocks", async () => {
  await expect(
    withLock(laptop, { command: "up" }, async () => {
      throw new CommandError("failed");
    }),
  ).rejects.toThrow("failed");
  expect(engines.here.size).toBe(0);
});

test("a second process is refused, with who, where, what and since when, and the lock stays", async () => {
  const theirs = held();
  engines.here.set(LOCK, theirs);
  const since = theirs["groundwork.lock.since"].replace("T", " ").replace(/\..*/, "");
  await expect(locked()).rejects.toThrow(
    `environment "laptop" is locked by npm run up, by ada on host build-7 (process 4711), since ${since} UTC, 12 minutes ago. Nothing was changed: wait until it ends. If it does not run any more, run the same command with --force-unlock`,
  );
  expect(engines.here.get(LOCK)).toBe(theirs);
});

test("of two processes that start at once, the one whose lock the engine has goes on", async () => {
  const work = jest.fn();
  const race = withLock(laptop, { command: "up" }, work);
  engines.here.set(LOCK, held());
  await expect(race).rejects.toThrow("is locked by npm run up, by ada on host build-7");
  expect(work).not.toHaveBeenCalled();
  expect(engines.here.get(LOCK)).toMatchObject({ "groundwork.lock.id": "theirs" });
});

test("the lock of a process of this machine that ended is taken over", async () => {
  const mine = await locked();
  const ended = await execa("true");
  expect(ended.exitCode).toBe(0);
  const { pid } = execa("true");
  await execa("sh", ["-c", `while kill -0 ${pid} 2>/dev/null; do sleep 0.05; done`]);
  engines.here.set(LOCK, {
    ...mine,
    "groundwork.lock.id": "theirs",
    "groundwork.lock.pid": String(pid),
  });
  await locked();
  expect(said).toEqual([
    expect.stringMatching(/^ {2}npm run up, by .* ended without unlocking: its lock is removed$/),
  ]);
  expect(engines.here.size).toBe(0);
});

test("so is the lock of one that was killed and that its parent does not reap", async () => {
  const mine = await locked();
  // The second sleep does not wait for the child that it inherits.
  const parent = execa("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 60"]);
  try {
    const pid = String(await once(parent.stdout as Readable, "data")).trim();
    const stat = () =>
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
    while (stat()[0] !== "Z") {
      await setTimeout(20);
    }
    engines.here.set(LOCK, {
      ...mine,
      "groundwork.lock.id": "theirs",
      "groundwork.lock.pid": pid,
      "groundwork.lock.started": stat()[19],
    });
    await locked();
  } finally {
    parent.kill();
  }
  expect(said).toEqual([expect.stringContaining("ended without unlocking")]);
});

test("so is the lock of one whose process id another process has by now", async () => {
  const mine = await locked();
  engines.here.set(LOCK, {
    ...mine,
    "groundwork.lock.id": "theirs",
    "groundwork.lock.started": "1",
  });
  await locked();
  expect(said).toEqual([expect.stringContaining("ended without unlocking")]);
});

test("the lock of a process that runs here is not taken over", async () => {
  engines.here.set(LOCK, { ...(await locked()), "groundwork.lock.id": "theirs" });
  await expect(locked()).rejects.toThrow('environment "laptop" is locked by npm run up');
});

describe("the lock of a process of another boot of this machine", () => {
  const file = () => join(clone, ".state", "laptop", "environment-lock");
  const anotherBoot = (labels: Labels) => ({
    ...labels,
    "groundwork.lock.host": hostname(),
    "groundwork.lock.processes": "another-boot pid:[4026531836]",
    "groundwork.lock.since": new Date(0).toISOString(),
  });

  test("is taken over by the clone that took it", async () => {
    let killed: Labels = {};
    await withLock(laptop, { command: "up" }, async () => {
      killed = anotherBoot(engines.here.get(LOCK) ?? {});
    });
    engines.here.set(LOCK, killed);
    expect(await locked()).toMatchObject({ "groundwork.lock.pid": String(process.pid) });
    expect(said).toEqual([expect.stringContaining("ended without unlocking")]);
  });

  test("is not taken over by a virtual machine of the same image, whose clone did not take it", async () => {
    engines.here.set(LOCK, anotherBoot({ ...(await locked()), "groundwork.lock.id": "theirs" }));
    await expect(locked()).rejects.toThrow('environment "laptop" is locked by npm run up');
    rmSync(file());
    await expect(locked()).rejects.toThrow('environment "laptop" is locked by npm run up');
    expect(said).toEqual([]);
  });

  test("counts as held if the clone cannot be written", async () => {
    rmSync(clone, { recursive: true });
    writeFileSync(clone, "");
    expect(await locked()).toMatchObject({ "groundwork.lock.command": "npm run up" });
  });
});

test("--force-unlock takes the lock after a confirmation", async () => {
  engines.here.set(LOCK, held());
  expect(await locked({ forceUnlock: true })).toMatchObject({
    "groundwork.lock.pid": String(process.pid),
  });
  const [[name, consequence, otherwise]] = jest.mocked(confirm).mock.calls;
  expect(name).toBe("laptop");
  expect(consequence).toMatch(
    /^npm run up, by ada on host build-7 \(process 4711\), since .* ago holds the lock of environment "laptop"\. If it still runs, two deploys change the same clusters at once$/,
  );
  expect(otherwise).toBe(
    "--force-unlock needs a confirmation, but standard input is not a terminal: run it on one, or remove volume groundwork-lock-laptop of each engine once that process has ended",
  );
});

test("without the confirmation the lock stays", async () => {
  engines.here.set(LOCK, held());
  jest.mocked(confirm).mockRejectedValue(new CommandError("no changes made"));
  await expect(locked({ forceUnlock: true })).rejects.toThrow("no changes made");
  expect(engines.here.get(LOCK)).toMatchObject({ "groundwork.lock.id": "theirs" });
});

test("a process that took the lock during the confirmation keeps it", async () => {
  engines.here.set(LOCK, held());
  jest.mocked(confirm).mockImplementation(async () => {
    engines.here.set(LOCK, held({ id: "new", user: "eve" }));
  });
  await expect(locked({ forceUnlock: true })).rejects.toThrow(
    'environment "laptop" is locked by npm run up, by eve on host build-7',
  );
  expect(engines.here.get(LOCK)).toMatchObject({ "groundwork.lock.id": "new" });
});

test("a process whose lock was taken away does not remove that of the other", async () => {
  await withLock(laptop, { command: "up" }, async () => {
    engines.here.set(LOCK, held());
  });
  expect(engines.here.get(LOCK)).toMatchObject({ "groundwork.lock.id": "theirs" });
});

describe("work that asks whether its command still has the lock", () => {
  /** Asks once something has happened to the lock. */
  const ask = (meanwhile: () => void) =>
    withLock(laptop, { command: "up" }, async (stillHeld) => {
      await stillHeld();
      meanwhile();
      await stillHeld();
      return "went on";
    });

  test("goes on while it has", async () => {
    expect(await ask(() => undefined)).toBe("went on");
  });

  test("stops if another command has taken it, as after the sleep of a laptop, and says which", async () => {
    await expect(ask(() => engines.here.set(LOCK, held()))).rejects.toThrow(
      /^environment "laptop" is no longer locked by this command: npm run up, by ada on host build-7 \(process 4711\), since .* UTC, 12 minutes ago has the lock now\. No further step was started: wait until that ends, then run the same command again, which continues$/,
    );
    expect(engines.here.get(LOCK)).toMatchObject({ "groundwork.lock.id": "theirs" });
  });

  test("stops if the volume was pruned: another command may have come and gone", async () => {
    await expect(ask(() => engines.here.clear())).rejects.toThrow(
      'environment "laptop" is no longer locked by this command, and nobody has the lock: volume groundwork-lock-laptop was removed, as by docker volume prune or by a command with --force-unlock that has ended. No further step was started: run the same command again, which continues',
    );
    expect(engines.here.size).toBe(0);
  });

  test("stops if the engine does not answer, as a command that takes the lock does", async () => {
    const fall = () => {
      engines = {};
    };
    await expect(ask(fall)).rejects.toThrow(
      'whether environment "laptop" is still locked by this command is not known: 0 of its 1 Docker engines answer that, and more than half have to. No further step was started: run the same command again once they answer, which continues\nno answer',
    );
  });

  test("goes on if the engine was only slow", async () => {
    const before = engines;
    const isSlow = () => {
      const { here } = before;
      engines = {
        get here() {
          engines = before;
          return undefined;
        },
      } as unknown as typeof engines;
      expect(here.size).toBe(1);
    };
    expect(await ask(isSlow)).toBe("went on");
  });
});

/** Has the first process that removes the lock wait. Resolves once it does; `goOn` ends the wait. */
function slowRemoval() {
  let goOn = () => undefined as unknown;
  const waits = new Promise<void>((resolve) => {
    beforeRemoval = async (name) => {
      if (name === LOCK) {
        beforeRemoval = async () => undefined;
        await new Promise((end) => {
          goOn = () => end(undefined);
          resolve();
        });
      }
    };
  });
  return { waits, goOn: () => goOn() };
}

describe("of two processes that found the lock of one that ended", () => {
  test("one removes it, so that the slower one does not remove the lock that the other has taken since", async () => {
    engines.here.set(LOCK, { ...(await locked()), ...ENDED });
    let running = 0;
    let most = 0;
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await setTimeout(20);
      running -= 1;
    };
    const { waits, goOn } = slowRemoval();
    const slow = withLock(laptop, { command: "up" }, work);
    await waits;
    const fast = withLock(laptop, { command: "up" }, work);
    await Promise.race([fast.catch(() => undefined), setTimeout(10)]);
    goOn();
    const [one, other] = await Promise.allSettled([slow, fast]);
    expect([one.status, other.status, most]).toEqual(["fulfilled", "rejected", 1]);
    expect(other).toMatchObject({
      reason: { message: expect.stringContaining('environment "laptop" is locked by npm run up') },
    });
    expect(engines.here.size).toBe(0);
  });

  test.each<[string, Labels]>([
    ["was killed on this host", ENDED],
    [
      "began 5 minutes ago elsewhere",
      { "groundwork.lock.host": "build-7", "groundwork.lock.since": ago(5.1) },
    ],
  ])("the other removes it if the one %s meanwhile", async (_, labels) => {
    const mine = await locked();
    engines.here.set(LOCK, { ...mine, ...ENDED });
    engines.here.set(`${LOCK}-ended`, { ...mine, ...labels, "groundwork.lock.id": "killed" });
    expect(await locked()).toMatchObject({ "groundwork.lock.pid": String(process.pid) });
    expect(engines.here.size).toBe(0);
  });

  test("the other waits if the one runs elsewhere", async () => {
    engines.here.set(LOCK, { ...(await locked()), ...ENDED });
    engines.here.set(`${LOCK}-ended`, held({ since: ago(1), user: "eve" }));
    await expect(locked()).rejects.toThrow(
      'environment "laptop" is locked by npm run up, by eve on host build-7',
    );
    expect([...engines.here.keys()]).toEqual([LOCK, `${LOCK}-ended`]);
  });
});

test("--force-unlock does not take a lock that its owner is removing", async () => {
  const { waits, goOn } = slowRemoval();
  const owner = locked();
  await waits;
  await expect(locked({ forceUnlock: true })).rejects.toThrow("is locked by npm run up");
  goOn();
  await owner;
  expect(engines.here.size).toBe(0);
});

test.each<[string, () => void]>([
  [
    "during the work",
    () => {
      engines = {};
    },
  ],
  [
    "while it is unlocked",
    () => {
      meanwhile = () => {
        engines = {};
      };
    },
  ],
])("an engine that falls silent %s may keep the lock, and a warning says so", async (_, fall) => {
  await withLock(laptop, { command: "up" }, async () => fall());
  expect(jest.mocked(console.warn).mock.calls).toEqual([
    [
      'warning: the lock of environment "laptop" may stay on the Docker engine, which does not answer: no answer. The next command on this host removes it',
    ],
  ]);
});

test("an engine that does not answer is refused with what the check of the machine says", async () => {
  engines = {};
  const problem = "no changes made:\n- no Docker engine answers: no answer; start Docker";
  jest.mocked(checkMachines).mockRejectedValue(new CommandError(problem));
  const work = jest.fn();
  await expect(withLock(laptop, { command: "up" }, work)).rejects.toThrow(problem);
  expect(work).not.toHaveBeenCalled();
});

test("an engine that answers only the second time holds the lock", async () => {
  engines = {};
  jest.mocked(checkMachines).mockImplementation(async () => {
    engines = { here: new Map() };
    return {} as Awaited<ReturnType<typeof checkMachines>>;
  });
  expect(await locked()).toMatchObject({ "groundwork.lock.command": "npm run up" });
});

test("work does not run if the engine falls silent before it has the lock", async () => {
  engines = {};
  const work = jest.fn();
  await expect(withLock(laptop, { command: "up" }, work)).rejects.toThrow(
    "the Docker engine does not create the lock: no answer",
  );
  expect(work).not.toHaveBeenCalled();
});

test("a command that takes no lock learns who has it, and nothing of a process that ended", async () => {
  expect(await findHolder(laptop)).toBeUndefined();
  const mine = await locked();
  engines.here.set(LOCK, { ...mine, ...ENDED });
  expect(await findHolder(laptop)).toBeUndefined();
  engines.here.set(LOCK, held());
  expect(describeOwner((await findHolder(laptop)) as Owner)).toMatch(
    /^npm run up, by ada on host build-7 \(process 4711\), since .* UTC, 12 minutes ago$/,
  );
  expect([...engines.here.keys()]).toEqual([LOCK]);
  engines = {};
  expect(await findHolder(laptop)).toBeUndefined();
});

describe("on several machines", () => {
  const NAME = "groundwork-lock-lab-three";
  const hosts = (labThree.machines ?? []).map(({ engine }) => engine);
  beforeEach(() => {
    engines = Object.fromEntries(hosts.map((host) => [host, new Map()]));
  });
  const onAll = () => hosts.map((host) => engines[host]?.has(NAME));
  const lockedThere = () => withLock(labThree, { command: "up" }, async () => onAll());

  test("every engine that answers holds it", async () => {
    expect(await lockedThere()).toEqual([true, true, true]);
    expect(onAll()).toEqual([false, false, false]);
    delete engines[hosts[1]];
    expect(await lockedThere()).toEqual([true, undefined, true]);
  });

  test("it is refused where another process has it, and what was taken is given back", async () => {
    meanwhile = (host) => {
      if (host === hosts[0]) {
        engines[hosts[1]].set(NAME, held());
      }
    };
    await expect(lockedThere()).rejects.toThrow('environment "lab-three" is locked by npm run up');
    expect(onAll()).toEqual([false, true, false]);
  });

  test("work goes on while most machines have its lock, and stops otherwise", async () => {
    const ask = (meanwhile: () => void) =>
      withLock(labThree, { command: "up" }, async (stillHeld) => {
        meanwhile();
        await stillHeld();
        return "went on";
      });
    // Such as a machine that was replaced.
    expect(await ask(() => engines[hosts[0]].clear())).toBe("went on");
    expect(await ask(() => delete engines[hosts[0]])).toBe("went on");
    await expect(ask(() => delete engines[hosts[1]])).rejects.toThrow(
      "1 of its 3 Docker engines answer that, and more than half have to",
    );
    Object.assign(engines, { [hosts[0]]: new Map(), [hosts[1]]: new Map() });
    const taken = () => {
      engines[hosts[1]].set(NAME, held());
      engines[hosts[2]].set(NAME, held());
    };
    await expect(ask(taken)).rejects.toThrow("by ada on host build-7");
  });

  test("a machine that was gone at the end of a deploy keeps a lock, which the next one removes", async () => {
    engines[hosts[2]].set(NAME, held());
    expect(await lockedThere()).toEqual([true, true, true]);
    expect(onAll()).toEqual([false, false, false]);
  });

  test("nobody has a lock that a lost machine kept", async () => {
    engines[hosts[2]].set(NAME, held());
    expect(await findHolder(labThree)).toBeUndefined();
    engines[hosts[1]].set(NAME, held());
    expect(await findHolder(labThree)).toMatchObject({ user: "ada", host: "build-7" });
  });

  test("a process that is locking the engines right now is not taken for that", async () => {
    engines[hosts[0]].set(NAME, held({ since: new Date().toISOString() }));
    await expect(lockedThere()).rejects.toThrow('environment "lab-three" is locked by npm run up');
  });

  test("most of the machines with a lock are a deploy that runs without the others", async () => {
    engines[hosts[0]].set(NAME, held());
    engines[hosts[1]].set(NAME, held());
    await expect(lockedThere()).rejects.toThrow('environment "lab-three" is locked by npm run up');
  });

  describe("by another declaration", () => {
    const [a, b, c] = labThree.machines ?? [];
    const five = [a, b, c, { ...c, name: "d", engine: "d" }, { ...c, name: "e", engine: "e" }];
    const withFive = { ...labThree, machines: five };
    beforeEach(() => Object.assign(engines, { d: new Map(), e: new Map() }));

    test("a lock says how many machines its owner has", async () => {
      await withLock(withFive, { command: "up" }, async () => {
        expect(engines.e.get(NAME)).toMatchObject({ "groundwork.lock.engines": "5" });
      });
    });

    test("two of three machines are a deploy that runs, although they are not most of five", async () => {
      engines[hosts[0]].set(NAME, held({ engines: "3" }));
      engines[hosts[1]].set(NAME, held({ engines: "3" }));
      const work = jest.fn();
      await expect(withLock(withFive, { command: "up" }, work)).rejects.toThrow(
        'environment "lab-three" is locked by npm run up',
      );
      expect(work).not.toHaveBeenCalled();
    });

    test("so is one engine of a clone that declares no machines", async () => {
      engines[hosts[0]].set(NAME, held({ engines: "1" }));
      await expect(lockedThere()).rejects.toThrow('environment "lab-three" is locked');
    });

    test("so is one of five, if two others are not declared here and may have the lock, too", async () => {
      engines[hosts[0]].set(NAME, held({ engines: "5" }));
      await expect(lockedThere()).rejects.toThrow('environment "lab-three" is locked');
    });

    test("one of three is left over, also where five machines are declared", async () => {
      engines[hosts[0]].set(NAME, held({ engines: "3" }));
      await withLock(withFive, { command: "up" }, async () => undefined);
      expect(Object.values(engines).map((volumes) => volumes.size)).toEqual([0, 0, 0, 0, 0]);
    });
  });

  test("one machine with a lock is a deploy that runs, if another one that does not answer may have it, too", async () => {
    // It runs without the third machine. Now that one is back, and the first is gone.
    engines[hosts[1]].set(NAME, held());
    delete engines[hosts[0]];
    await expect(lockedThere()).rejects.toThrow('environment "lab-three" is locked by npm run up');
    expect(onAll()).toEqual([undefined, true, false]);
    // The same if the lost machine is excluded.
    const environment = { ...labThree, excludedMachines: ["a"] };
    await expect(withLock(environment, { command: "up" }, async () => "")).rejects.toThrow(
      'environment "lab-three" is locked by npm run up',
    );
    await withLock(environment, { command: "up", forceUnlock: true }, async () => {
      expect(engines[hosts[1]].get(NAME)).not.toMatchObject({ "groundwork.lock.id": "theirs" });
    });
    expect(onAll()).toEqual([undefined, false, false]);
  });

  test("the first machine lost during a deploy does not unlock it", async () => {
    const second = jest.fn();
    await withLock(labThree, { command: "up" }, async () => {
      delete engines[hosts[0]];
      const environment = { ...labThree, excludedMachines: ["a"] };
      await expect(withLock(environment, { command: "up" }, second)).rejects.toThrow(
        'environment "lab-three" is locked by npm run up',
      );
    });
    expect(second).not.toHaveBeenCalled();
    expect(onAll()).toEqual([undefined, false, false]);
  });

  test("of two processes that start at once, each without another machine, one goes on", async () => {
    let running = 0;
    const start = (machine: string) =>
      withLock({ ...labThree, excludedMachines: [machine] }, { command: "up" }, async () => {
        running += 1;
        await setTimeout(20);
      });
    const [one, other] = await Promise.allSettled([start("a"), start("c")]);
    expect(running).toBe(1);
    expect([one.status, other.status].sort()).toEqual(["fulfilled", "rejected"]);
    expect(onAll()).toEqual([false, false, false]);
  });

  test("half of the machines or fewer lock nothing", async () => {
    delete engines[hosts[1]];
    delete engines[hosts[2]];
    const work = jest.fn();
    await expect(withLock(labThree, { command: "up" }, work)).rejects.toThrow(
      [
        'environment "lab-three" cannot be locked: 1 of its 3 Docker engines answer, and more than half have to, so that no other command can lock it at the same time. Nothing was changed',
        `${hosts[1]}: no answer`,
        `${hosts[2]}: no answer`,
      ].join("\n"),
    );
    expect(work).not.toHaveBeenCalled();
    expect(onAll()).toEqual([false, undefined, undefined]);
  });
});
