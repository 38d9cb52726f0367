import { docker, kafka, OF_THE_LAB } from "./lab";

/** A partition as `kafka-topics.sh --describe` tells it. */
export interface ReplicatedPartition {
  readonly topic: string;
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

/** Runs a tool of the Kafka CLI. */
export type KafkaTool = (tool: string, args: readonly string[]) => string;

/** Returns all partitions of Kafka, internal ones too. */
export function partitions(run: KafkaTool = kafka): ReplicatedPartition[] {
  const described = run("kafka-topics", ["--describe"]);
  const ids = (list: string) => list.split(",").map(Number);
  return [
    ...described.matchAll(
      /Topic: (\S+)\tPartition: \d+\tLeader: (\d+)\tReplicas: ([\d,]+)\tIsr: ([\d,]+)/g,
    ),
  ].map(([, topic, leader, replicas, inSync]) => ({
    ...{ topic, leader: Number(leader) },
    ...{ replicas: ids(replicas), inSync: ids(inSync) },
  }));
}

/** Returns the numbers of replicas and of leaders of each broker, in their order. */
export function loads(
  brokers: number,
  run: KafkaTool = kafka,
): { replicas: number[]; leaders: number[] } {
  const all = partitions(run);
  const ids = Array.from({ length: brokers }, (_, i) => i + 1);
  return {
    replicas: ids.map((id) => all.filter(({ replicas }) => replicas.includes(id)).length),
    leaders: ids.map((id) => all.filter(({ leader }) => leader === id).length),
  };
}

/** Asserts that all replicas are in sync. */
export function expectInSync(run: KafkaTool = kafka): void {
  const behind = partitions(run).filter(({ replicas, inSync }) => replicas.length > inSync.length);
  expect(behind).toEqual([]);
}

/** Asserts that brokers have equally many, except for one. */
export function expectEvenCounts(counts: readonly number[]): void {
  const isEven = Math.max(...counts) - Math.min(...counts) <= 1;
  expect({ counts, isEven }).toEqual({ counts, isEven: true });
}

/** Asserts that all replicas are in sync, and that brokers have equally many replicas and leaders, except for one. */
export function expectEven(brokers: number): void {
  expectInSync();
  const { replicas, leaders } = loads(brokers);
  expectEvenCounts(replicas);
  expectEvenCounts(leaders);
}

/** Asserts that nothing of a move is left: no reassignment, throttle, cordon or mark. */
export function expectNothingSet(run: KafkaTool = kafka): void {
  const described = ["brokers", "topics"].map((type) =>
    run("kafka-configs", ["--describe", "--entity-type", type]),
  );
  expect(described.join("\n").match(/\S*(throttled|cordoned|groundwork\.)\S*/g) ?? []).toEqual([]);
  expect(run("kafka-topics", ["--describe"])).not.toMatch(/(Adding|Removing) Replicas/);
}

/** Returns when the containers of a cluster's nodes were started, by name. */
export function startTimes(cluster: string): Record<string, string> {
  const names = docker(
    ...["ps", "--all", "--filter", `label=groundwork.cluster=${cluster}`, ...OF_THE_LAB],
    ...["--format", "{{.Names}}"],
  ).split("\n");
  return Object.fromEntries(
    names.map((name) => [name, docker("inspect", "--format", "{{.State.StartedAt}}", name)]),
  );
}
