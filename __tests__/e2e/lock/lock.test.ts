import {
  docker,
  expectDone,
  type Finished,
  freshLab,
  kafka,
  NODES,
  onceItSays,
} from "../../support/lab";
import { expectAllRecords, goneOneByOne, type Load, underLoad } from "../../support/load";
import { projectCopy } from "../../support/project-copy";

/** Two clones of one project, with one state. */
const [first, second] = [projectCopy(), projectCopy()];

const scaleMemory = (from: string, to: string) => {
  for (const copy of [first, second]) {
    copy.edit("lab/environments.ts", `name: "lab",${from}`, `name: "lab",${to}`);
  }
};

const locks = () => docker("volume", "ls", "--quiet", "--filter", "label=groundwork.lock");

/** Runs `npm run up` in the first clone, and work as soon as it replaces the nodes of running clusters. */
const onceItRolls = (work: (group: number) => unknown) =>
  onceItSays(
    /rolling replacement of kafka/,
    (_, group) => work(group),
    ...(["node", ["commands/groundwork.mjs", "up"], first.folder] as const),
  );

beforeAll(async () => {
  await freshLab();
  expectDone(first.command("up"));
});

describe("while one clone replaces all nodes", () => {
  let load: Load;
  let rolled: Finished;
  const refused: Record<string, Finished> = {};

  beforeAll(async () => {
    scaleMemory("", "\n  memoryScale: 0.6,");
    load = await underLoad("locked", async () => {
      rolled = await onceItRolls(() => {
        for (const command of ["up", "down", "adopt", "drift"]) {
          refused[command] = second.command(command);
        }
      });
    });
  });

  test.each(["up", "down", "adopt"])("npm run %s in another clone changes nothing", (command) => {
    expect(refused[command].exitCode).toBe(1);
    expect(refused[command].output).toMatch(
      /environment "lab" is locked by npm run up, by \S+ on host \S+ \(process \d+\), since .* UTC, \d+ minutes? ago\. Nothing was changed: wait until it ends\. If it does not run any more, run the same command with --force-unlock/,
    );
  });

  test("npm run drift in another clone compares nothing, and says why", () => {
    expect(refused.drift.exitCode).toBe(3);
    expect(refused.drift.output).toMatch(
      /environment "lab" was not compared, since another command changes it: npm run up, by \S+ on host \S+ \(process \d+\), since /,
    );
  });

  test("the first clone ends as if it were alone, one node at a time", () => {
    expectDone(rolled);
    expect(goneOneByOne(load, "kafka")).toEqual(NODES.kafka);
    expectAllRecords(load);
  });
});

describe("a deploy that is killed with -9", () => {
  let killed: Finished;
  let next: Finished;

  beforeAll(async () => {
    scaleMemory("\n  memoryScale: 0.6,", "");
    killed = await onceItRolls((group) => process.kill(-group, "SIGKILL"));
    expect(locks()).toBe("groundwork-lock-lab");
    next = second.command("up");
  });

  test("leaves a lock, which the next deploy on this machine recognizes and removes", () => {
    expect(killed.exitCode).not.toBe(0);
    expectDone(next);
    expect(next.output).toMatch(/npm run up, by .* ended without unlocking: its lock is removed/);
    expect(locks()).toBe("");
    expect(kafka("kafka-topics", ["--describe", "--under-replicated-partitions"])).toBe("");
  });
});

test("a lock of another machine is not removed without a confirmation", () => {
  docker(
    ...["volume", "create", "--label", "groundwork.lock=lab", "--label", "groundwork.lock.id=1"],
    ...["--label", "groundwork.lock.host=elsewhere", "groundwork-lock-lab"],
  );
  try {
    const finished = second.command("up", "--force-unlock");
    expect(finished.exitCode).toBe(1);
    expect(finished.output).toContain(
      "--force-unlock needs a confirmation, but standard input is not a terminal: run it on one, or remove volume groundwork-lock-lab of each engine once that process has ended",
    );
    expect(locks()).toBe("groundwork-lock-lab");
  } finally {
    docker("volume", "rm", "groundwork-lock-lab");
  }
});
