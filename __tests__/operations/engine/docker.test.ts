import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOnTerminal } from "../../../commands/run-on-terminal";
import { dockerAt, lastLines, tryDockerAt } from "../../../operations/engine/docker";
import { stream } from "../../../operations/terminal/stream";
import { callTerraform, detectTerraform } from "../../../operations/terraform/binary";

const folder = mkdtempSync(join(tmpdir(), "processes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = process.env.PATH;
beforeEach(() => {
  process.env.PATH = `${folder}:/usr/bin:/bin`;
});
afterEach(() => {
  process.env.PATH = path;
});

/** A program of that name that does what a shell script says. */
function program(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

describe("a command that is streamed", () => {
  const logFile = join(folder, "stream.log");
  const streamed = async (script: string, env: NodeJS.ProcessEnv = { PATH: "/usr/bin:/bin" }) => {
    const lines: string[] = [];
    const options = { cwd: folder, env, logFile, onLine: (line: string) => lines.push(line) };
    const exitCode = await stream("sh", ["-c", script], options);
    return { exitCode, lines: lines.sort() };
  };

  test("has every line of both outputs told and logged, the unfinished last one too", async () => {
    const script = "echo one; echo two >&2; printf '\\033[1mthree\\033[0m'; exit 3";
    expect(await streamed(script)).toEqual({ exitCode: 3, lines: ["one", "three", "two"] });
    expect(readFileSync(logFile, "utf8").trim().split("\n").sort()).toEqual([
      "one",
      "three",
      "two",
    ]);
  });

  test("has the variables that it is given alone", async () => {
    const { lines } = await streamed("env", { PATH: "/usr/bin:/bin", GIVEN: "yes" });
    expect(lines).toContain("GIVEN=yes");
    expect(lines.filter((line) => line.startsWith("HOME="))).toEqual([]);
  });

  test("fails when it is killed, and is an error when it cannot start", async () => {
    expect((await streamed("kill -9 $$")).exitCode).toBe(1);
    const nowhere = { cwd: folder, env: {}, logFile, onLine: () => undefined };
    await expect(stream("no-such-program", [], nowhere)).rejects.toThrow("ENOENT");
  });
});

describe("a program that is run on the terminal", () => {
  const { exitCode } = process;
  afterEach(() => {
    process.exitCode = exitCode;
  });

  test("has its exit code taken over, and none run after it that fails", async () => {
    const made = join(folder, "made");
    await runOnTerminal(["sh", "-c", `touch ${made}`], ["sh", "-c", "exit 7"], ["rm", made]);
    expect([process.exitCode, existsSync(made)]).toEqual([7, true]);
  });

  test("is told to end when this process is, which waits for it", () => {
    const endsItself =
      "trap 'echo ended; exit 9' TERM; kill -TERM $PPID; while :; do sleep 0.1; done";
    const script = `require("./commands/run-on-terminal").runOnTerminal(["sh", "-c", "${endsItself}"])`;
    const { status, stdout } = spawnSync(
      process.execPath,
      ["-r", "./tools/register.js", "-e", script],
      {
        cwd: join(__dirname, "..", "..", ".."),
        encoding: "utf8",
      },
    );
    expect([status, stdout]).toEqual([9, "ended\n"]);
  });

  test("is named when it does not start", async () => {
    await expect(runOnTerminal(["no-such-program"])).rejects.toThrow("no-such-program");
  });
});

describe("the docker command", () => {
  test("is asked at the engine that is named, for what it prints", async () => {
    program("docker", 'echo "$DOCKER_HOST $*"; echo warning >&2');
    expect(await dockerAt({ host: "ssh://host" }, "ps", "--all")).toBe("ssh://host ps --all");
    expect(await tryDockerAt({ host: "ssh://host" }, "ps")).toEqual({
      exitCode: 0,
      output: "ssh://host ps",
    });
  });

  test("says on both outputs why it failed", async () => {
    program("docker", "echo started; sleep 0.1; echo refused >&2; exit 125");
    expect(await tryDockerAt(undefined, "run")).toEqual({
      exitCode: 125,
      output: "started\nrefused",
    });
    await expect(dockerAt(undefined, "run")).rejects.toThrow("refused");
  });

  test("that is not installed fails as a shell has it", async () => {
    process.env.PATH = join(folder, "nowhere");
    expect(await tryDockerAt(undefined, "ps")).toEqual({ exitCode: 127, output: "" });
  });

  test("shows the last lines of a log, without a JVM's frames", async () => {
    program("docker", "echo first; echo second; echo '   at Main.main'; sleep 0.1; echo third >&2");
    expect(await lastLines(undefined, "kafka-1", 2)).toBe("second\nthird");
  });
});

describe("Terraform", () => {
  test("is told where no command line configuration is that the variables name", async () => {
    program("terraform", 'echo "Terraform v1.11.4"; echo "config $TF_CLI_CONFIG_FILE"');
    const env = { ...process.env, TF_CLI_CONFIG_FILE: join(folder, "nowhere.rc") };
    expect(detectTerraform(env)).toMatchObject({ command: "terraform", version: "1.11.4" });
    process.env.TF_CLI_CONFIG_FILE = env.TF_CLI_CONFIG_FILE;
    try {
      const said = await callTerraform({ command: "terraform" }, folder, ["version"]);
      expect(said).toBe("Terraform v1.11.4\nconfig ");
    } finally {
      delete process.env.TF_CLI_CONFIG_FILE;
    }
  });

  test("has its own error shown, or why it did not start", async () => {
    program("terraform", "echo 'Error: no backend' >&2; exit 1");
    const init = (command: string) => callTerraform({ command }, folder, ["init"]);
    await expect(init("terraform")).rejects.toThrow(
      `terraform init in ${folder} failed:\nError: no backend`,
    );
    await expect(init("no-such-terraform")).rejects.toThrow("ENOENT");
  });
});
