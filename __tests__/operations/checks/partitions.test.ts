import type { Environment } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { labThree } from "../../../lab/environments";
import { checkPartitions } from "../../../operations/checks/partitions";
import type { Outcome } from "../../../operations/engine/docker";
import { Platform } from "../../../operations/platform/platform";

/** The answers of Kafka in order, the first one before the check; the last one stays. */
let answers: readonly Outcome[];
let asked: number;

const described = (...partitions: readonly string[]): Outcome => ({
  exitCode: 0,
  output: [
    "Topic: orders\tTopicId: x\tPartitionCount: 2\tReplicationFactor: 3\tConfigs: min.insync.replicas=2",
    ...partitions.map((text, i) => `\tTopic: orders\tPartition: ${i}\t${text}\tElr: `),
    "Topic: other\tTopicId: y\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: ",
    "\tTopic: other\tPartition: 0\tLeader: none\tReplicas: 9\tIsr: 9\tElr: ",
  ].join("\n"),
});
const WHOLE = "Leader: 1\tReplicas: 1,2,3\tIsr: 1,2,3";

function check(environment: Environment = laptop, patienceMs = 0) {
  const platform = new Platform(environment);
  platform.kafka.describeTopics = async () => {
    asked++;
    return answers[Math.min(asked, answers.length) - 1];
  };
  return checkPartitions(platform, ["orders"], answers[0], { intervalMs: 1, patienceMs });
}

beforeEach(() => {
  asked = 1;
});

test("partitions with all replicas in sync are in order, and topics that are not declared do not count", async () => {
  answers = [described(WHOLE)];
  expect(await check(laptop, 10_000)).toEqual({ failures: [], notes: [] });
  expect(asked).toBe(1);
});

test("replicas that catch up after a deploy are waited for", async () => {
  const behind = described("Leader: 1\tReplicas: 1,2,3\tIsr: 1,2");
  answers = [{ exitCode: 1, output: "no answer" }, behind, behind, described(WHOLE)];
  expect(await check(laptop, 10_000)).toEqual({ failures: [], notes: [] });
  expect(asked).toBe(4);
});

test("one that takes longer is a note, since it ends by itself", async () => {
  answers = [described(WHOLE, "Leader: 1\tReplicas: 1,2,3\tIsr: 1,2")];
  expect(await check()).toEqual({
    failures: [],
    notes: [
      "orders-1: the replica on kafka-3 is not in sync yet. npm run up waited a minute for it",
    ],
  });
});

test("a partition without a leader, or below min.insync.replicas, is a failure", async () => {
  answers = [
    described("Leader: none\tReplicas: 2,3\tIsr: 3", "Leader: 1\tReplicas: 1,2,3\tIsr: 1"),
  ];
  expect(await check()).toEqual({
    failures: [
      "orders-0: has no leader, so nobody reads or writes it; its replicas are on kafka-2 and kafka-3",
      "orders-1: 1 of 3 replicas in sync, and min.insync.replicas is 2, so producers with acks=all fail",
    ],
    notes: [],
  });
});

test("a replica on a broker that is not declared is a failure, with how it is moved", async () => {
  answers = [
    described(
      "Leader: none\tReplicas: 4,5\tIsr: 5",
      "Leader: 1\tReplicas: 1,4,5\tIsr: 1",
      "Leader: 1\tReplicas: 1,2,4\tIsr: 1,2",
    ),
  ];
  const both = "declare kafka-4 and kafka-5 again, run npm run up, and remove them then";
  expect((await check()).failures).toEqual([
    `orders-0: has no leader, so nobody reads or writes it; its replicas are on kafka-4 and kafka-5: ${both}`,
    `orders-1: 1 of 3 replicas in sync, and min.insync.replicas is 2, so producers with acks=all fail: ${both}`,
    "orders-2: has a replica on kafka-4, which is not declared: declare kafka-4 again, run npm run up, and remove it then",
  ]);
});

test("a replica that a reassignment adds is not missing yet", async () => {
  answers = [described(`${WHOLE.replace("2,3\t", "2,3,4\t")}\tAdding Replicas: 4`)];
  expect(await check()).toEqual({ failures: [], notes: [] });
});

test("partitions on an excluded machine are not judged", async () => {
  answers = [described("Leader: 1\tReplicas: 1,2,3\tIsr: 1")];
  const excluded = { ...labThree, excludedMachines: ["c"] };
  expect(await check(excluded)).toEqual({ failures: [], notes: [] });
  expect((await check(labThree)).failures).toHaveLength(1);
});

test("a broker that does not answer in the end is a failure with its words", async () => {
  answers = [{ exitCode: 1, output: "no answer" }];
  expect(await check()).toEqual({ failures: ["no answer"], notes: [] });
});
