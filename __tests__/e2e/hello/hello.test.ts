import { expectDone, type Finished, freshLab, npm, records, run } from "../../support/lab";

let hello: Finished;

beforeAll(async () => {
  await freshLab();
  expectDone(npm("up", ["--at-once"]));
  hello = npm("hello");
});

const stepsIn = ({ output }: Finished) => output.match(/^(done|failed|skipped): .*$/gm);

test("a record and a document are written and read without authentication", () => {
  expectDone(hello);
  expect(stepsIn(hello)).toEqual([
    "done: write a record to topic infra-events",
    expect.stringMatching(/^done: read the record at offset 0 of partition [0-2]$/),
    "done: index a document in logs-hello",
    "done: find the document in logs-hello",
    "skipped: Loki: loki and alloy: in excludedServices of lab/environments.ts",
  ]);
  expect(records("infra-events")).toBe(1);
});

test("each printed command works as it stands", () => {
  const commands: string[] = hello.output.match(/^ {2}docker run .*$/gm) ?? [];
  expect(commands).toHaveLength(4);
  const [write, read, index, find] = commands.map((command) => run("sh", ["-c", command]));
  for (const finished of [write, read, index, find]) {
    expectDone(finished);
  }
  const [, number] = / infra-events (\d+)$/m.exec(commands[0]) ?? [];
  expect(read.output).toContain(`${number}.0`);
  expect(find.output).toContain(`hello ${number}`);
  expect(records("infra-events")).toBe(2);
});

test("a platform that does not run fails each step with the remedy", () => {
  expectDone(npm("down"));
  const failed = npm("hello");
  expect(failed.exitCode).toBe(1);
  expect(stepsIn(failed)).toEqual([
    "failed: write a record to topic infra-events",
    "failed: index a document in logs-hello",
    expect.stringContaining("skipped: Loki"),
  ]);
  expect(failed.output).toContain("deploy the platform first: npm run up");
});
