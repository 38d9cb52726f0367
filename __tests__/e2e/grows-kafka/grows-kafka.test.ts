import { eventually } from "../../support/eventually";
import { grownKafka } from "../../support/grown-kafka";
import { docker, expectDone, type Finished, kafka } from "../../support/lab";
import { expectAllRecords, type Load, underLoad } from "../../support/load";
import { expectEven, expectNothingSet, partitions, startTimes } from "../../support/replicas";

const lab = grownKafka();

describe("a fourth broker", () => {
  let before: Record<string, string>;
  let plan: Finished;
  let load: Load;

  beforeAll(async () => {
    before = startTimes("kafka");
    lab.declare(4);
    plan = lab.copy.command("plan");
    load = await underLoad("grown", () => expectDone(lab.up(4)));
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
    expectDone(lab.up(4));
    expect(partitions()).toEqual(placed);
  });
});

test("a broker whose volume is lost comes back empty, is filled, and nothing else moves", async () => {
  const { "kafka-4": _, ...others } = startTimes("kafka");
  const placed = partitions().map(({ topic, replicas }) => ({ topic, replicas }));
  docker("rm", "--force", "kafka-4");
  docker("volume", "rm", "kafka-4-data");
  expectDone(lab.up(4));
  await eventually(() => {
    const missing = partitions().filter(({ replicas, inSync }) => replicas.length > inSync.length);
    return missing.map(({ topic }) => topic);
  });
  expect(partitions().map(({ topic, replicas }) => ({ topic, replicas }))).toEqual(placed);
  const { "kafka-4": __, ...unchanged } = startTimes("kafka");
  expect(unchanged).toEqual(others);
  expectNothingSet();
});

describe("npm run up refuses, before it touches anything,", () => {
  afterEach(() => {
    lab.declare(4);
    expectNothingSet();
    expect(Object.keys(startTimes("kafka"))).toHaveLength(4);
  });

  test("fewer brokers than a topic has replicas", () => {
    kafka("kafka-topics", [
      ...["--create", "--topic", "everywhere", "--partitions", "1", "--replication-factor", "4"],
    ]);
    const { exitCode, output } = lab.up(3);
    kafka("kafka-topics", ["--delete", "--topic", "everywhere"]);
    expect(exitCode).toBe(1);
    expect(output).toContain(
      "topic everywhere has replication factor 4, and 3 brokers would be left",
    );
  });

  test("to remove a controller", () => {
    const { exitCode, output } = lab.up(1);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/controllers/);
  });
});

describe("a broker that is removed", () => {
  let plan: Finished;
  let load: Load;

  beforeAll(async () => {
    lab.declare(3);
    plan = lab.copy.command("plan");
    load = await underLoad("shrunk", () => expectDone(lab.up(3)));
  });

  test("is announced with what it hands over", () => {
    expect(plan.output).toMatch(
      /kafka: before npm run up removes it, \d+ replicas of about \d+ MiB move from kafka-4 to the other nodes/,
    );
  });

  test("is gone, and its volume stays", () => {
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
