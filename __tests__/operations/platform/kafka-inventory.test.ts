import { readFileSync } from "node:fs";
import { environments } from "../../../environments";
import { labThreeSecured } from "../../../lab/environments";
import { Platform } from "../../../operations/platform/platform";
import { JAR } from "../../support/fake-kafka";

const calls: { args: string[]; input: Buffer }[] = [];
let answer: { exitCode: number; output: string };
/** The brokers whose health check fails. */
let down: readonly string[] = [];
afterEach(() => {
  down = [];
});

// An engine whose brokers' program prints the test's answer.
jest.mock("../../../operations/engine/docker", () => ({
  followDocker: async (
    _engine: unknown,
    { input, onLine }: { input: Buffer; onLine: (line: string) => void },
    ...args: string[]
  ) => {
    calls.push({ args, input });
    answer.output.split("\n").filter(Boolean).forEach(onLine);
    return answer;
  },
  tryDockerAt: async (_engine: unknown, _exec: string, broker: string) => ({
    ...{ exitCode: down.includes(broker) ? 1 : 0, output: "" },
  }),
}));

function inventory(environment = environments.laptop, ...lines: object[]) {
  calls.length = 0;
  answer = { exitCode: 0, output: lines.map((line) => JSON.stringify(line)).join("\n") };
  return new Platform(environment).kafka.inventory;
}

const DECLARED = {
  topics: [{ name: "orders", partitions: 6 }],
  applications: [{ name: "orders", topics: { orders: "write" as const } }],
  brokers: 3,
};
const DONE = { done: true };

/** Returns the declaration after the jar, and the arguments of the program. */
function asked() {
  const [{ args, input }] = calls;
  const jar = readFileSync(JAR);
  expect(input.subarray(0, jar.length).equals(jar)).toBe(true);
  return {
    declaration: input.subarray(jar.length).toString(),
    args: args.slice(args.indexOf("KafkaInventory")),
  };
}

test("a report compares with the topics as kafka-init gets them, in one line", async () => {
  await inventory(undefined, DONE).report(DECLARED);
  const { declaration, args } = asked();
  expect(args).toEqual(["KafkaInventory", "report"]);
  expect(declaration.indexOf("\n")).toBe(declaration.length - 1);
  const { topics, ...others } = JSON.parse(declaration);
  expect(topics).toMatchObject([{ name: "orders", partitions: 6, replicationFactor: 3 }]);
  expect(others).toEqual({});
});

test("a report of a secured cluster compares with the applications and Alloy too", async () => {
  await inventory(labThreeSecured, DONE).report(DECLARED);
  const { applications } = JSON.parse(asked().declaration);
  expect(applications.monitors).toEqual(["alloy"]);
  expect(applications.applications).toMatchObject([{ name: "orders" }]);
});

test("a report has the topics and users of the program's lines", async () => {
  const [topic, user] = [{ topic: "orders" }, { user: "orders" }];
  expect(await inventory(undefined, topic, user, DONE).report(DECLARED)).toEqual({
    topics: [topic],
    users: [user],
  });
});

test("a report that ends too early is an error, and so is Kafka's", async () => {
  await expect(inventory(undefined, { topic: "orders" }).report(DECLARED)).rejects.toThrow(
    "kafka-1 does not tell all topics and users of Kafka",
  );
  const silent = inventory();
  answer = { exitCode: 1, output: "Timed out" };
  await expect(silent.report(DECLARED)).rejects.toThrow("Kafka, asked through kafka-1: Timed out");
});

test("the first broker that serves is asked, with the addresses of all, or the first one if none serves", async () => {
  const program = inventory(undefined, DONE);
  const askedThrough = async () => {
    calls.length = 0;
    await program.report(DECLARED);
    await program.remove(["orders"]);
    return calls.map(({ args }) => [
      args[args.indexOf("sh") - 1],
      args.find((arg) => arg.startsWith("KAFKA_BOOTSTRAP_SERVERS=")),
    ]);
  };
  const servers = `KAFKA_BOOTSTRAP_SERVERS=${[1, 2, 3].map((id) => `kafka-${id}.infra_net:19092`).join(",")}`;
  expect(await askedThrough()).toEqual(Array(2).fill(["kafka-1", servers]));
  down = ["kafka-1"];
  expect(await askedThrough()).toEqual(Array(2).fill(["kafka-2", servers]));
  down = ["kafka-1", "kafka-2", "kafka-3"];
  expect(await askedThrough()).toEqual(Array(2).fill(["kafka-1", servers]));
});

test("topics are removed by name", async () => {
  await inventory().remove(["orders", "bills"]);
  expect(asked()).toEqual({
    declaration: "",
    args: ["KafkaInventory", "remove", "orders", "bills"],
  });
});
