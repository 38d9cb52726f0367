import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildAgain, buildTests, REQUEST_LATENCY } from "../../support/fake-kafka";

let broker: ChildProcessWithoutNullStreams;
let lines: AsyncIterator<string>;
beforeAll(async () => {
  const { libraries, jar } = await buildTests(REQUEST_LATENCY);
  const classPath = [`${REQUEST_LATENCY}.jar`, jar, join(libraries, "*")].join(":");
  const options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath];
  broker = spawn("java", [...options, "Requests"]);
  lines = createInterface(broker.stdout)[Symbol.asyncIterator]();
});
afterAll(() => broker.kill());

/** Has the broker answer requests, and returns what it logs afterwards. */
async function logged(...requests: string[]): Promise<string[]> {
  broker.stdin.write([...requests, "", ""].join("\n"));
  const found = [];
  for (let line = await lines.next(); line.value !== "end"; line = await lines.next()) {
    found.push(line.value);
  }
  return found;
}

test("request-latency.jar is what its sources compile to, byte for byte", async () => {
  // Differs? npm run jar
  const again = readFileSync(await buildAgain(REQUEST_LATENCY));
  expect(again.equals(readFileSync(`${REQUEST_LATENCY}.jar`))).toBe(true);
});

test("a broker logs the number of its recent requests and what each took, and nothing where there was none", async () => {
  expect(await logged()).toEqual([]);
  expect(await logged("Produce 10 8", "Produce 20 0", "FetchFollower 900 900")).toEqual([
    "produce requests: 2, 0.0150 s each",
  ]);
  expect(await logged()).toEqual([]);
  expect(await logged("Produce 1200 0", "FetchConsumer 7 5")).toEqual([
    "fetch requests: 1, 0.0020 s each",
    "produce requests: 1, 1.2000 s each",
  ]);
});

test("what a consumer waits for new records is not in what its fetch took", async () => {
  expect(await logged("FetchConsumer 503 500", "FetchConsumer 501 500")).toEqual([
    "fetch requests: 2, 0.0020 s each",
  ]);
});
