import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runHere } from "../support/command";
import { ROOT } from "../support/root";

const mockRoot = mkdtempSync(join(tmpdir(), "import-command-"));
jest.mock("../../operations/synthesis/project", () => ({
  ...jest.requireActual("../../operations/synthesis/project"),
  PROJECT_ROOT: mockRoot,
}));
afterAll(() => rmSync(mockRoot, { recursive: true }));

const write = (name: string, content: string) => {
  writeFileSync(join(mockRoot, name), content);
  return join(mockRoot, name);
};

test("npm run import says what it wrote, adapted and could not import", async () => {
  const panels = Array.from({ length: 14 }, (_, i) => ({
    id: i,
    type: "stat",
    title: `Panel ${i}`,
    datasource: { type: "influxdb", uid: "influx" },
    targets: [{ refId: "A", query: "SELECT 1" }],
  }));
  const file = write("d.json", JSON.stringify({ title: "D", schemaVersion: 39, panels }));
  expect(await runHere(["import", file])).toEqual({
    status: 0,
    stdout: [
      'imported dashboard "D"',
      "wrote:",
      "- dashboards/Imported/d.json",
      "adapted:",
      "- panels that overlapped or had no place are moved",
      "not imported (14 findings):",
      ...panels
        .slice(0, 10)
        .map(
          ({ title }) =>
            `- panel "${title}": query A uses data source "influx" of type "influxdb": use prometheus or loki`,
        ),
      "- and 4 more",
      "",
      "run npm run preview to see what it changes, then npm run up",
      "",
    ].join("\n"),
    stderr: "",
  });
});

test("npm run import finds a file in the folder in which npm is called", async () => {
  write("here.yml", "groups: [{ name: here, rules: [{ alert: Here, expr: up == 0 }] }]");
  const env = { ...process.env, INIT_CWD: mockRoot };
  const { status, stdout } = await runHere(["import", "here.yml", "--folder", "team"], env);
  expect(status).toBe(0);
  expect(stdout).toContain("- alerts/team/here.yml\n- docs/runbooks/Here.md\n");
});

test("npm run import prefers it to a file of the project with the same name", async () => {
  const called = mkdtempSync(join(tmpdir(), "import-called-"));
  try {
    writeFileSync(join(called, "package.json"), "none of the three");
    const env = { ...process.env, INIT_CWD: called };
    const { stderr } = await runHere(["import", "package.json"], env);
    expect(stderr).toContain(`${join(called, "package.json")} is not recognized`);
  } finally {
    rmSync(called, { recursive: true });
  }
});

test("npm run import waits for a slow sender on standard input", () => {
  const { status, stderr } = spawnSync(
    "bash",
    ["-c", "{ sleep 3; echo none of the three; } | node commands/groundwork.mjs import"],
    { cwd: ROOT, encoding: "utf8" },
  );
  expect(stderr).toMatch(/^\nstandard input is not recognized: /);
  expect(status).toBe(1);
});

test("npm run import refuses what is no file", async () => {
  const { status, stderr } = await runHere(["import", join(mockRoot, "none.json")]);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^\n.*none\.json does not exist: name a file, or send it to standard input$/m,
  );
});
