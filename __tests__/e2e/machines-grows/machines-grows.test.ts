import {
  type Ask,
  exclusions,
  holdersOfShards,
  settled,
  setWatermark,
} from "../../support/grown-opensearch";
import { expectDone, type Finished } from "../../support/lab";
import {
  containersByMachine,
  expectNoChanges,
  kafkaOn,
  loadOn,
  MACHINES,
  on,
  onMachines,
  openSearchOn,
} from "../../support/machines";
import { projectCopy } from "../../support/project-copy";
import {
  expectEvenCounts,
  expectInSync,
  expectNothingSet,
  type KafkaTool,
  loads,
  partitions,
} from "../../support/replicas";

const NODES = ["--filter", "label=groundwork.cluster"];
const NAME = 'name: "lab-three",';
/** The fourth broker is not on the machine that it has by default. Declared only while there is one. */
const GROWN = `${NAME}
  kafka: { ...lab.kafka, brokers: 4 },
  openSearch: { ...lab.openSearch, nodes: 4 },
  placement: { "kafka-4": "b" },`;
const ON_B = [2, 4];

const copy = projectCopy();
const kafka: KafkaTool = (tool, args) => kafkaOn("c", tool, ...args);
const openSearch: Ask = (method, path, body) => openSearchOn("c", path, method, body);

onMachines(() => copy.command("up"));

/** Returns when each node was started, by name. */
function startTimes(): Record<string, string> {
  return Object.fromEntries(
    MACHINES.flatMap(({ name }) =>
      on(name, "ps", "--all", ...NODES, "--format", "{{.Names}}")
        .split("\n")
        .map((node) => [node, on(name, "inspect", "--format", "{{.State.StartedAt}}", node)]),
    ),
  );
}

/** Returns the machine of an OpenSearch node. */
const machineOf = (node: string) => MACHINES[(Number(node.split("-")[1]) - 1) % 3].name;

/** Asserts that no replica or shard shares a machine with another copy, except where there are more copies than machines. */
function expectSpread(): void {
  const crowded = partitions(kafka).filter(({ replicas }) =>
    ON_B.every((broker) => replicas.includes(broker)),
  );
  expect(crowded).toEqual([]);
  for (const [shard, nodes] of Object.entries(holdersOfShards(openSearch))) {
    const machines = new Set(nodes.map(machineOf)).size;
    expect([shard, machines]).toEqual([shard, Math.min(nodes.length, MACHINES.length)]);
  }
}

/** Asserts that every replica is in sync, and that nothing of a move is left. */
function expectNothingLeft(): void {
  expectInSync(kafka);
  expectNothingSet(kafka);
  expect(exclusions(openSearch)).toEqual([]);
}

/** Runs a command while a producer and an indexer write, and then asserts that no acknowledged write is missing. */
async function underLoad(work: () => Finished, after: () => Promise<void>): Promise<Finished> {
  const load = await loadOn("a");
  const finished = work();
  expectDone(finished);
  await after();
  await load.goesOn();
  load.finish();
  return finished;
}

beforeAll(() => {
  setWatermark(undefined, openSearch);
  for (const [topic, count, factor] of [
    ["everywhere", 9, 3],
    ["twice", 14, 2],
  ]) {
    kafka("kafka-topics", [
      ...["--create", "--topic", String(topic), "--partitions", String(count)],
      ...["--replication-factor", String(factor), "--config", "min.insync.replicas=1"],
    ]);
    kafka("kafka-producer-perf-test", [
      ...["--topic", String(topic), "--num-records", "5000", "--record-size", "2000"],
      ...["--throughput", "-1", "--producer-props", "acks=1"],
    ]);
  }
  // The first consumer creates __consumer_offsets, which a later one would add to what the fourth broker was given.
  kafka("kafka-console-consumer", [
    ...["--topic", "everywhere", "--from-beginning", "--max-messages", "1"],
  ]);
  openSearch("PUT", "/twice", { settings: { number_of_shards: 6, number_of_replicas: 1 } });
  openSearch("PUT", "/everywhere", { settings: { auto_expand_replicas: "0-all" } });
  for (const index of ["twice", "everywhere"]) {
    openSearch("PUT", `/${index}/_doc/1?refresh=true`, { kept: true });
  }
});

describe("a fourth node of each cluster", () => {
  let before: Record<string, string>;
  let plan: Finished;
  let grown: Finished;

  beforeAll(async () => {
    before = startTimes();
    copy.edit("lab/environments.ts", NAME, GROWN);
    plan = copy.command("plan");
    grown = await underLoad(
      () => copy.command("up"),
      () => settled(4, openSearch),
    );
  });

  test("is announced with what it takes over", () => {
    expect(plan.output).toMatch(
      /kafka: \d+ replicas of about \d+ MiB move to kafka-4 once npm run up has added it/,
    );
  });

  test("joins on its machine, and no running node restarts", () => {
    expect(containersByMachine(...NODES)).toEqual({
      a: "kafka-1 opensearch-1 opensearch-4",
      b: "kafka-2 kafka-4 opensearch-2",
      c: "kafka-3 opensearch-3",
    });
    expect(startTimes()).toEqual({
      ...before,
      "kafka-4": expect.any(String),
      "opensearch-4": expect.any(String),
    });
  });

  test("gets its share of what its machine holds, and copies stay on different machines", () => {
    expectSpread();
    const { replicas, leaders } = loads(4, kafka);
    expectEvenCounts(ON_B.map((broker) => replicas[broker - 1]));
    expectEvenCounts(leaders);
    const shards = Object.values(holdersOfShards(openSearch)).flat();
    expect(shards.filter((node) => node === "opensearch-4").length).toBeGreaterThan(1);
  });

  test("leaves nothing of the move, and any machine may be lost", () => {
    expectNothingLeft();
    expect(grown.output).toMatch(/^NFR-LOSS +yes +any one machine may be lost: a, b, c$/m);
    expect(grown.output).not.toMatch(/^\S+ +NO /m);
  });
});

describe("the fourth nodes, once they are not declared any more,", () => {
  let before: Record<string, string>;
  let plan: Finished;
  let shrunk: Finished;

  beforeAll(async () => {
    before = startTimes();
    copy.edit("lab/environments.ts", GROWN, NAME);
    plan = copy.command("plan");
    shrunk = await underLoad(
      () => copy.command("up"),
      () => settled(3, openSearch),
    );
  });

  test.each(["kafka", "opensearch"])("are announced with what they hand over: %s", (cluster) => {
    expect(plan.output).toMatch(
      new RegExp(
        `${cluster}: before npm run up removes it, \\d+ replicas of about \\d+ MiB move from ${cluster}-4 to the other nodes`,
      ),
    );
    expect(shrunk.output).toContain(`  ${cluster}-4 has left ${cluster}, without data\n`);
  });

  test("are gone, their volumes stay, and no other node restarts", () => {
    const { "kafka-4": _, "opensearch-4": __, ...staying } = before;
    expect(startTimes()).toEqual(staying);
    const volumes = (machine: string) =>
      on(machine, "volume", "ls", "--quiet", "--filter", "name=-4-data");
    expect(MACHINES.map(({ name }) => volumes(name))).toEqual([
      "opensearch-4-data",
      "kafka-4-data",
      "",
    ]);
  });

  test("leave all copies on different machines, and nothing of the move", () => {
    expectSpread();
    expectNothingLeft();
    expect(shrunk.output).toMatch(/^NFR-LOSS +yes +any one machine may be lost: a, b, c$/m);
    expect(shrunk.output).not.toMatch(/^\S+ +NO /m);
  });
});

test("the next deploy changes nothing", () => {
  expectNoChanges(copy.command("up"));
});
