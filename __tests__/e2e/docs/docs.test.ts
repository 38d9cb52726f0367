import { documentedCommands, RUN_IN_LAB } from "../../support/docs";
import { cdktf, freshLab, npm, run } from "../../support/lab";

let lab: ReturnType<typeof npm>;
/** What each command of the pages printed. */
const printed = new Map<string, string>();

beforeAll(async () => {
  // Accepts leftovers of earlier tests: the command finds a lab of its own or none.
  await freshLab();
  lab = npm("lab", ["--fresh"]);
});

test("npm run lab ends with every requirement met and what to do next", () => {
  expect(lab.exitCode).toBe(0);
  for (const requirement of ["AUT-001", "AUT-002", "AUT-003", "NFR-VIS", "NFR-IDEM"]) {
    expect(lab.output).toMatch(new RegExp(`^${requirement} +yes `, "m"));
  }
  expect(lab.output).toContain("To use cdktf in the lab directly:");
});

test.each([
  ...new Set(
    documentedCommands()
      .filter(({ command, realHost }) => !realHost && RUN_IN_LAB.test(command))
      .map(({ command }) => command),
  ),
])("%s", (command) => {
  const { exitCode, output } = run("sh", ["-c", command]);
  printed.set(command, output);
  expect({ output, exitCode }).toEqual({ output, exitCode: 0 });
});

test("the README's first record and first document are read as they were written", () => {
  const outputOf = (part: string) =>
    [...printed].find(([command]) => command.includes(part))?.[1] ?? `no command has ${part}`;
  expect(outputOf("kafka-console-consumer.sh")).toMatch(/^first record$/m);
  expect(outputOf("/logs-demo/_doc?refresh=true")).toContain('"result":"created"');
  expect(outputOf("/logs-demo/_search?q=service:demo")).toMatch(/"message" ?: ?"first document"/);
  expect(outputOf("--name first-log")).toMatch(/^first log line$/m);
});

test("npm run doctor finds no problem", () => {
  const { exitCode, output } = npm("doctor");
  expect({ output, exitCode }).toEqual({ output, exitCode: 0 });
  expect(output).not.toContain("NO");
});

test("npm run preview against the last commit says what the working tree changes", () => {
  const { exitCode, output } = npm("preview");
  expect(output).toMatch(/^lab, against HEAD$/m);
  expect([0, 2, 3]).toContain(exitCode);
});

test("npm run plan right after a deploy has nothing to do", () => {
  const { exitCode, output } = npm("plan");
  expect(output).toContain("lab, against the deployed platform");
  expect(output).toMatch(/^no changes$/m);
  expect(exitCode).toBe(0);
});

test("cdktf synth writes every stack", () => {
  expect(cdktf(["synth"]).exitCode).toBe(0);
});

test("npm run lab:schema prints the schema of the lab's provider alone", () => {
  const { exitCode, output } = npm("lab:schema");
  expect(exitCode).toBe(0);
  expect(output).toContain('"docker_container"');
});

test("npm run lab a second time changes nothing", () => {
  const { exitCode, output } = npm("lab");
  expect(exitCode).toBe(0);
  expect(output.match(/^ {2}\S+: no changes/gm)).toHaveLength(5);
});

test("npm run up -- --at-once does not roll", () => {
  const { exitCode, output } = npm("up", ["--at-once"]);
  expect(exitCode).toBe(0);
  expect(output).not.toContain("rolling replacement");
});
