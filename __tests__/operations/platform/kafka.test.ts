import { environments } from "../../../environments";
import { Platform } from "../../../operations/platform/platform";

const answers: Record<string, { exitCode: number; output: string }> = {};

// An engine whose brokers' tools print the test's answers.
jest.mock("../../../operations/engine/docker", () => ({
  tryDockerAt: async (_engine: unknown, ...args: string[]) =>
    answers[
      args
        .find((arg) => arg.endsWith(".sh"))
        ?.split("/")
        .at(-1) ?? ""
    ],
}));

/** Returns the output of kafka-metadata-quorum.sh for each node's lag. */
function quorum(lags: Record<number, number>): string {
  const columns =
    "NodeId\tDirectoryId           \tLogEndOffset\tLag\tLastFetchTimestamp\tLastCaughtUpTimestamp\tStatus  \t";
  const rows = Object.entries(lags).map(
    ([id, lag]) =>
      `${id}     \tAAAAAAAAAAAAAAAAAAAAAA\t${5000 - lag}        \t${lag}  \t1764300000000     \t1764300000000        \tFollower\t`,
  );
  return [columns, ...rows].join("\n");
}

describe("Kafka with all replicas in sync", () => {
  const lacks = (replication: { exitCode: number; output: string }) => {
    answers["kafka-topics.sh"] = { exitCode: 0, output: "" };
    answers["kafka-metadata-quorum.sh"] = replication;
    return new Platform(environments.laptop).kafka.incomplete("kafka-1");
  };

  test("is healthy if every broker is caught up with the metadata", async () => {
    const output = quorum({ 1: 0, 2: 3, 3: 10 });
    expect(await lacks({ exitCode: 0, output })).toBeUndefined();
  });

  test("names a broker that lags behind the controllers, or that they do not know", async () => {
    expect(await lacks({ exitCode: 0, output: quorum({ 1: 40, 2: 0, 3: 1 }) })).toBe(
      "not caught up with the cluster's metadata: kafka-1",
    );
    expect(await lacks({ exitCode: 0, output: quorum({ 1: 0, 2: 11 }) })).toBe(
      "not caught up with the cluster's metadata: kafka-2, kafka-3",
    );
  });

  test("is not healthy if no controller answers", async () => {
    const output = "Error: Timed out waiting for a node assignment.";
    expect(await lacks({ exitCode: 1, output })).toBe(output);
  });
});
