import { join } from "node:path";
import { dockerAt, followDocker, lastLines, tryDockerAt } from "../../../operations/engine/docker";
import { programsOnPath } from "../../support/programs";

const { folder, program } = programsOnPath();

describe("the docker command", () => {
  test("runs against the given engine and returns its output", async () => {
    program("docker", 'echo "$DOCKER_HOST $*"; echo warning >&2');
    expect(await dockerAt({ host: "ssh://host" }, "ps", "--all")).toBe("ssh://host ps --all");
    expect(await tryDockerAt({ host: "ssh://host" }, "ps")).toEqual({
      exitCode: 0,
      output: "ssh://host ps",
    });
  });

  test("returns both streams if it fails", async () => {
    program("docker", "echo started; sleep 0.1; echo refused >&2; exit 125");
    expect(await tryDockerAt(undefined, "run")).toEqual({
      exitCode: 125,
      output: "started\nrefused",
    });
    await expect(dockerAt(undefined, "run")).rejects.toThrow("refused");
  });

  test("fails with 127 if it is not installed, as in a shell", async () => {
    process.env.PATH = join(folder, "nowhere");
    expect(await tryDockerAt(undefined, "ps")).toEqual({ exitCode: 127, output: "" });
  });

  test("hands over each line as it comes, and keeps its input open until the command ends", async () => {
    program("docker", `exec bash -c 'read -r given; echo "$given"; read -r -t 0.1; echo "$?"'`);
    const lines: string[] = [];
    const input = Buffer.from("given\n");
    const outcome = await followDocker(undefined, { input, onLine: (line) => lines.push(line) });
    // The shell's status for a time that ran out, not for an input that ended.
    expect(lines).toEqual(["given", "142"]);
    expect(outcome).toEqual({ exitCode: 0, output: "given\n142" });
  });

  test("returns only the error if a followed one fails", async () => {
    program("docker", "echo line; echo refused >&2; exit 3");
    const options = { input: Buffer.from("unread"), onLine: () => undefined };
    expect(await followDocker(undefined, options, "exec")).toEqual({
      ...{ exitCode: 3, output: "refused" },
    });
  });

  test("shows the last lines of a log, without a JVM's frames", async () => {
    program("docker", "echo first; echo second; echo '   at Main.main'; sleep 0.1; echo third >&2");
    expect(await lastLines(undefined, "kafka-1", 2)).toBe("second\nthird");
  });
});
