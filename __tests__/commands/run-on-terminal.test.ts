import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runOnTerminal } from "../../commands/run-on-terminal";
import { programsOnPath } from "../support/programs";
import { ROOT } from "../support/root";

const { folder } = programsOnPath();

describe("a program that runs on the terminal", () => {
  const { exitCode } = process;
  afterEach(() => {
    process.exitCode = exitCode;
  });

  test("determines the exit code, and no other runs after a failure", async () => {
    const made = join(folder, "made");
    await runOnTerminal(["sh", "-c", `touch ${made}`], ["sh", "-c", "exit 7"], ["rm", made]);
    expect([process.exitCode, existsSync(made)]).toEqual([7, true]);
  });

  test("receives SIGTERM from this process, which waits for its exit", () => {
    const endsItself =
      "trap 'echo ended; exit 9' TERM; kill -TERM $PPID; while :; do sleep 0.1; done";
    const script = `require("./commands/run-on-terminal").runOnTerminal(["sh", "-c", "${endsItself}"])`;
    const { status, stdout } = spawnSync(
      process.execPath,
      ["-r", "./tools/register.js", "-e", script],
      {
        cwd: ROOT,
        encoding: "utf8",
      },
    );
    expect([status, stdout]).toEqual([9, "ended\n"]);
  });

  test("is named if it does not start", async () => {
    await expect(runOnTerminal(["no-such-program"])).rejects.toThrow("no-such-program");
  });
});
