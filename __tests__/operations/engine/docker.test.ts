import { join } from "node:path";
import {
  dockerAt,
  followDocker,
  lastLines,
  tryDockerAt,
  tryDockerWithInput,
} from "../../../operations/engine/docker";
import { CommandError } from "../../../operations/terminal/terminal";
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

  test.each([
    [true, "1 1 /certificates"],
    [false, "1  /certificates"],
  ])(
    "uses TLS with the certificates of a context, also if that verifies the engine: %j",
    async (verify, expected) => {
      program("docker", 'echo "$DOCKER_TLS $DOCKER_TLS_VERIFY $DOCKER_CERT_PATH"');
      const tls = { certPath: "/certificates", verify };
      expect(await dockerAt({ host: "tcp://host:2376", tls }, "ps")).toBe(expected);
    },
  );

  test("returns both streams if it fails", async () => {
    program("docker", "echo started; sleep 0.1; echo refused >&2; exit 125");
    expect(await tryDockerAt(undefined, "run")).toEqual({
      exitCode: 125,
      output: "started\nrefused",
    });
  });

  test.each<[string, () => Promise<string>]>([
    [
      "docker --host ssh://host stop kafka-1",
      () => dockerAt({ host: "ssh://host" }, "stop", "kafka-1"),
    ],
    ["docker ps", () => dockerAt(undefined, "ps", "--all")],
    ["docker swarm join", () => dockerAt(undefined, "swarm", "join", "--token", "secret")],
    ["docker logs kafka-1", () => lastLines(undefined, "kafka-1", 2)],
  ])(
    "that fails is an error for the user with the engine's words and the remedy: %s",
    async (command, run) => {
      program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
      const failed = run();
      await expect(failed).rejects.toBeInstanceOf(CommandError);
      await expect(failed).rejects.toThrow(
        new CommandError(
          `${command}: Cannot connect to the Docker daemon. If the Docker engine stopped answering, run the same command again when it is back`,
        ),
      );
    },
  );

  test("that is killed is not taken for one that is not installed", async () => {
    program("docker", "kill -9 $$");
    await expect(dockerAt(undefined, "ps")).rejects.toThrow("docker ps: ended by SIGKILL. If");
    await expect(lastLines(undefined, "kafka-1", 2)).rejects.toThrow(
      "docker logs kafka-1: ended by SIGKILL. If",
    );
    expect(
      await followDocker(undefined, { input: Buffer.alloc(0), onLine: () => undefined }, "ps"),
    ).toEqual({
      exitCode: 127,
      output: "ended by SIGKILL",
    });
  });

  test("fails with 127 if it is not installed, as in a shell", async () => {
    process.env.PATH = join(folder, "nowhere");
    expect(await tryDockerAt(undefined, "ps")).toEqual({ exitCode: 127, output: "" });
    for (const run of [() => dockerAt(undefined, "ps"), () => lastLines(undefined, "kafka-1", 1)]) {
      await expect(run()).rejects.toThrow(
        new CommandError(
          "the docker command is not on the PATH: install it (https://docs.docker.com/engine/install/)",
        ),
      );
    }
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

  test("returns the exit code of one that ends before it has read its input", async () => {
    program("docker", "echo refused >&2; exit 3");
    const input = Buffer.alloc(4 * 1024 * 1024, "a");
    const refused = { exitCode: 3, output: "refused" };
    const options = { input, onLine: () => undefined };
    expect(await followDocker(undefined, options, "exec")).toEqual(refused);
    expect(await tryDockerWithInput(undefined, input.toString(), "exec")).toEqual(refused);
  });

  test("shows the last lines of a log, without a JVM's frames", async () => {
    program("docker", "echo first; echo second; echo '   at Main.main'; sleep 0.1; echo third >&2");
    expect(await lastLines(undefined, "kafka-1", 2)).toBe("second\nthird");
  });
});
