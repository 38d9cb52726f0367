import { setTimeout } from "node:timers/promises";
import { docker, expectDone, type Finished, freshLab, kafka, onceItSays } from "../../support/lab";
import { expectAllRecords, type Load, underLoad } from "../../support/load";
import { projectCopy } from "../../support/project-copy";
import { expectEven, expectNothingSet, partitions, startTimes } from "../../support/replicas";

const copy = projectCopy();

let declared = 3;

/** Declares a number of brokers in the copy. */
function declare(brokers: number): void {
  const lines = (count: number) =>
    `name: "lab",\n  kafka: { ...laptop.kafka, brokers: ${count} },\n  openSearch`;
  copy.edit("lab/environments.ts", lines(declared), lines(brokers));
  declared = brokers;
}

/** Runs `npm run up` in the copy and kills it with SIGKILL some time after it printed a text. */
function killedUp(text: RegExp, delayMs: number): Promise<Finished> {
  return onceItSays(
    text,
    async (_, group) => {
      await setTimeout(delayMs);
      try {
        process.kill(-group, "SIGKILL");
      } catch {
        // It has ended already.
      }
    },
    ...(["node", ["commands/groundwork.mjs", "up"], copy.folder] as const),
  );
}

beforeAll(async () => {
  await freshLab();
  copy.edit(
    "lab/environments.ts",
    'name: "lab",\n  openSearch',
    'name: "lab",\n  kafka: { ...laptop.kafka, brokers: 3 },\n  openSearch',
  );
  expectDone(copy.command("up"));
  for (const [name, count, factor] of [
    ["large", 10, 3],
    ["small", 17, 2],
  ]) {
    kafka("kafka-topics", [
      ...["--create", "--topic", String(name), "--partitions", String(count)],
      ...["--replication-factor", String(factor), "--config", "min.insync.replicas=1"],
    ]);
  }
  kafka("kafka-producer-perf-test", [
    ...["--topic", "large", "--num-records", "20000", "--record-size", "3000"],
    ...["--throughput", "-1", "--producer-props", "acks=1"],
  ]);
});

describe("a fourth broker", () => {
  let before: Record<string, string>;
  let plan: Finished;
  let load: Load;

  beforeAll(async () => {
    before = startTimes("kafka");
    declare(4);
    plan = copy.command("plan");
    load = await underLoad("grown", () => expectDone(copy.command("up")));
  });

  test("is announced with what it takes over", () => {
    expect(plan.output).toMatch(
      /kafka: \d+ replicas of about \d+ MiB move to kafka-4 once npm run up has added it/,
    );
  });

  test("joins without a restart of the others", () => {
    const { "kafka-4": _, ...others } = startTimes("kafka");
    expect(others).toEqual(before);
  });

  test("gets an even share of replicas and leaders, and nothing of the move is left", () => {
    expectEven(4);
    expectNothingSet();
  });

  test("loses no record", () => {
    expectAllRecords(load, 100);
  });

  test("moves nothing in the next deploy", () => {
    const placed = partitions();
    expectDone(copy.command("up"));
    expect(partitions()).toEqual(placed);
  });
});

describe("npm run up refuses, before it touches anything,", () => {
  afterEach(() => {
    declare(4);
    expectNothingSet();
    expect(Object.keys(startTimes("kafka"))).toHaveLength(4);
  });

  test("fewer brokers than a topic has replicas", () => {
    kafka("kafka-topics", [
      ...["--create", "--topic", "everywhere", "--partitions", "1", "--replication-factor", "4"],
    ]);
    declare(3);
    const { exitCode, output } = copy.command("up");
    kafka("kafka-topics", ["--delete", "--topic", "everywhere"]);
    expect(exitCode).toBe(1);
    expect(output).toContain(
      "topic everywhere has replication factor 4, and 3 brokers would be left",
    );
  });

  test("to remove a controller", () => {
    declare(1);
    const { exitCode, output } = copy.command("up");
    expect(exitCode).toBe(1);
    expect(output).toMatch(/controllers/);
  });
});

describe("a broker that is removed", () => {
  let plan: Finished;
  let load: Load;

  beforeAll(async () => {
    declare(3);
    plan = copy.command("plan");
    load = await underLoad("shrunk", async () => {
      await killedUp(/moving data from kafka-4/, 1500);
      expectDone(copy.command("up"));
    });
  });

  test("is announced with what it hands over", () => {
    expect(plan.output).toMatch(
      /kafka: before npm run up removes it, \d+ replicas of about \d+ MiB move from kafka-4 to the other nodes/,
    );
  });

  test("is gone, also if the deploy was killed in between, and its volume stays", () => {
    expect(Object.keys(startTimes("kafka")).sort()).toEqual(["kafka-1", "kafka-2", "kafka-3"]);
    expect(docker("volume", "ls", "--quiet", "--filter", "name=kafka-4-data")).toBe("kafka-4-data");
  });

  test("leaves even replicas, and nothing of the move", () => {
    expectEven(3);
    expectNothingSet();
  });

  test("loses no record", () => {
    expectAllRecords(load, 100);
  });
});

describe("after npm run up was killed", () => {
  test("while a new broker got its share, the next one finishes", async () => {
    declare(4);
    await killedUp(/left to move/, 0);
    await killedUp(/left to move/, 500);
    expectDone(copy.command("up"));
    expectEven(4);
    expectNothingSet();
  });

  test("while it removed a broker that is declared again, the next one takes the removal back", async () => {
    declare(3);
    await killedUp(/moving data from kafka-4/, 1000);
    declare(4);
    expectDone(copy.command("up"));
    expectEven(4);
    expectNothingSet();
  });
});
