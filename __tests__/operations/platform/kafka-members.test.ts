import { readFileSync } from "node:fs";
import { environments } from "../../../environments";
import { labThreeSecured } from "../../../lab/environments";
import { Platform } from "../../../operations/platform/platform";
import { JAR } from "../../support/fake-kafka";

const calls: { args: string[]; input: Buffer }[] = [];
let answer: { exitCode: number; output: string };

// An engine whose brokers' program prints the test's answer.
jest.mock("../../../operations/engine/docker", () => ({
  followDocker: async (
    _engine: unknown,
    { input, onLine }: { input: Buffer; onLine: (line: string) => void },
    ...args: string[]
  ) => {
    calls.push({ args, input });
    // An error is on standard error.
    const lines = answer.exitCode === 0 ? answer.output.split("\n").filter(Boolean) : [];
    lines.forEach(onLine);
    return answer;
  },
}));

function members(environment = environments.laptop, ...lines: object[]) {
  calls.length = 0;
  answer = { exitCode: 0, output: lines.map((line) => JSON.stringify(line)).join("\n") };
  return new Platform(environment).kafka.members;
}

/** Returns the arguments of the program in the last call. */
const asked = () => {
  const args = calls.at(-1)?.args ?? [];
  return args.slice(args.indexOf("kafka-members.sh") + 3);
};

const variables = () => {
  const args = calls.at(-1)?.args ?? [];
  return args.filter((_, i) => args[i - 1] === "--env");
};

describe("Kafka's brokers", () => {
  test("are moved by the jar of kafka-init, in a broker's container", async () => {
    await members(undefined, { moves: { replicas: 0, bytes: 0 } }).describeDeparture("kafka-1", [
      "kafka-4",
    ]);
    const [{ args, input }] = calls;
    expect(input.equals(readFileSync(JAR))).toBe(true);
    expect(args.slice(0, 2)).toEqual(["exec", "--interactive"]);
    expect(args).toContain("kafka-1");
    expect(args).toContain(String(input.length));
    expect(variables()).toEqual([
      "KAFKA_BOOTSTRAP_SERVERS=kafka-1.infra_net:19092",
      "KAFKA_BOOTSTRAP_CONTROLLERS=kafka-1.infra_net:9093,kafka-2.infra_net:9093,kafka-3.infra_net:9093",
    ]);
  });

  test("are moved with the certificate of the broker in a secured environment", async () => {
    await members(labThreeSecured).forget("kafka-2", ["kafka-4"]);
    expect(variables()).toContain("KAFKA_CLIENT_CONFIG=/groundwork/client.properties");
    expect(variables()).toContain("KAFKA_BOOTSTRAP_SERVERS=kafka-2.infra-net:19092");
  });

  test("leave with what moves, or with all reasons why they cannot", async () => {
    const moves = { replicas: 12, bytes: 3_000_000 };
    const refusals = ["topic orders has replication factor 4", "the disk of kafka-1 is full"];
    const lines = [...refusals.map((refusal) => ({ refusal })), { moves }];
    expect(
      await members(undefined, ...lines).describeDeparture("kafka-1", ["kafka-4", "kafka-5"]),
    ).toEqual({ ...moves, refusals });
    expect(asked()).toEqual(["departure", "4,5"]);
  });

  test("are drained with a throttle of 50 MiB/s, and the progress is handed over", async () => {
    const left = [
      { replicas: 3, bytes: 900 },
      { replicas: 1, bytes: 100 },
    ];
    const seen: object[] = [];
    await members(undefined, ...left.map((each) => ({ left: each }))).drain(
      "kafka-1",
      ["kafka-4"],
      (each) => seen.push(each),
    );
    expect(asked()).toEqual(["drain", "4", "52428800"]);
    expect(seen).toEqual(left);
  });

  test("arrive on their machines", async () => {
    const moves = { replicas: 7, bytes: 70 };
    expect(
      await members(labThreeSecured, { moves }).describeArrival("kafka-1", ["kafka-4"]),
    ).toEqual(moves);
    expect(asked()).toEqual(["arrival", "4=a"]);
    await members(undefined, { moves }).describeArrival("kafka-1", ["kafka-4", "kafka-5"]);
    expect(asked()).toEqual(["arrival", "4,5"]);
  });

  test("are filled with a throttle of 50 MiB/s", async () => {
    await members().fill("kafka-1", () => undefined);
    expect(asked()).toEqual(["fill", "52428800"]);
  });

  test("are filled if they were new when they were kept, also if they have some replicas since", async () => {
    const kafka = members(undefined, { owed: 4 }, { owed: 5 });
    await kafka.keep("kafka-1", ["kafka-1", "kafka-2", "kafka-3", "kafka-4", "kafka-5"]);
    await kafka.fill("kafka-1", () => undefined);
    expect(asked()).toEqual(["fill", "52428800", "4,5"]);
    await kafka.fill("kafka-1", () => undefined);
    expect(asked()).toEqual(["fill", "52428800"]);
  });

  test("are kept, and what was taken back is told", async () => {
    const undone = ["cancelled the moves of 2 partitions", "removed the replication throttle"];
    const kafka = members(undefined, ...undone.map((each) => ({ undone: each })));
    expect(await kafka.keep("kafka-1", ["kafka-1", "kafka-2", "kafka-3"])).toEqual(undone);
    expect(asked()).toEqual(["keep", "1,2,3"]);
  });

  test("fail with Kafka's words", async () => {
    const kafka = members();
    answer = { exitCode: 1, output: "Cluster authorization failed." };
    await expect(kafka.fill("kafka-3", () => undefined)).rejects.toThrow(
      "Kafka, asked through kafka-3: Cluster authorization failed.",
    );
  });

  test("are never taken for empty if the program says nothing", async () => {
    await expect(members().describeDeparture("kafka-1", ["kafka-4"])).rejects.toThrow(
      "kafka-1 does not tell what moves: run the same command again",
    );
  });
});
