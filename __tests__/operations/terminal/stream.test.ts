import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stream } from "../../../operations/terminal/stream";
import { programsOnPath } from "../../support/programs";

const { folder } = programsOnPath();

describe("a streamed command", () => {
  const logFile = join(folder, "stream.log");
  const streamed = async (script: string, env: NodeJS.ProcessEnv = { PATH: "/usr/bin:/bin" }) => {
    const lines: string[] = [];
    const options = { cwd: folder, env, logFile, onLine: (line: string) => lines.push(line) };
    const exitCode = await stream("sh", ["-c", script], options);
    return { exitCode, lines: lines.sort() };
  };

  test("passes on and logs every line of both outputs, also an unfinished last one", async () => {
    const script = "echo one; echo two >&2; printf '\\033[1mthree\\033[0m'; exit 3";
    expect(await streamed(script)).toEqual({ exitCode: 3, lines: ["one", "three", "two"] });
    expect(readFileSync(logFile, "utf8").trim().split("\n").sort()).toEqual([
      "one",
      "three",
      "two",
    ]);
  });

  test("gets only the given variables", async () => {
    const { lines } = await streamed("env", { PATH: "/usr/bin:/bin", GIVEN: "yes" });
    expect(lines).toContain("GIVEN=yes");
    expect(lines.filter((line) => line.startsWith("HOME="))).toEqual([]);
  });

  test("returns 1 if it is killed, and throws if it cannot start", async () => {
    expect((await streamed("kill -9 $$")).exitCode).toBe(1);
    const nowhere = { cwd: folder, env: {}, logFile, onLine: () => undefined };
    await expect(stream("no-such-program", [], nowhere)).rejects.toThrow("ENOENT");
  });
});
