import { laptop } from "../../../environments/laptop";
import { relayFailures, unmeasured } from "../../../operations/checks/observability";
import { Platform } from "../../../operations/platform/platform";
import { CommandError } from "../../../operations/terminal/terminal";
import { programsOnPath } from "../../support/programs";

const platform = new Platform(laptop);
const { program } = programsOnPath();

/** Has Prometheus answer with the output of a script. */
function prometheus(script: string): void {
  program("docker", `[ "$1 $2" = "exec prometheus" ] || exit 9\n${script}`);
}

test("a container without a memory metric, or with one that has only its id, is reported", async () => {
  prometheus(
    `echo '[{"metric":{"container_id":"a","name":"kafka-1"},"value":[0,"5"]},{"metric":{"container_id":"b"},"value":[0,"5"]}]'`,
  );
  expect(await unmeasured(platform, ["kafka-1"])).toEqual([]);
  expect(await unmeasured(platform, ["kafka-1", "loki"])).toEqual([
    "loki: no memory metric in Prometheus",
  ]);
});

test("the error of a failed query is shown", async () => {
  prometheus("echo 'connection refused' >&2; exit 1");
  expect(await unmeasured(platform, ["kafka-1"])).toEqual(["Prometheus: connection refused"]);
});

describe("without Alloy, the exit codes of sidecars", () => {
  const failures = (script: string) => {
    program("docker", `[ "$1 $2" = "logs exit-relay" ] || exit 9\n${script}`);
    return relayFailures(platform, ["os-init", "kafka-init"]);
  };
  const exit = (container: string) =>
    `echo '{"event":"exit","exit_code":0,"container":"${container}"}'`;

  test("come from the log of the exit relay, whose last line may be incomplete", async () => {
    const half = `printf '{"event":"exit","exit_co'`;
    expect(await failures(`${exit("os-init")}; ${exit("kafka-init")}; ${half}`)).toEqual([]);
    expect(await failures(`${exit("os-init")}; echo '{"event":"state"}'`)).toEqual([
      "kafka-init: no exit code in the log of the exit relay",
    ]);
  });

  test("are missing if the relay does not exist", async () => {
    const missing = "echo 'Error response from daemon: No such container: exit-relay' >&2; exit 1";
    expect(await failures(missing)).toEqual([
      "exit-relay: does not exist",
      "os-init: no exit code in the log of the exit relay",
      "kafka-init: no exit code in the log of the exit relay",
    ]);
  });

  test("are unknown if the engine stops answering, with the remedy", async () => {
    const dies = `${exit("os-init")}; echo 'error during connect: EOF' >&2; exit 1`;
    await expect(failures(dies)).rejects.toThrow(
      new CommandError(
        "the Docker engine stopped answering: error during connect: EOF; run the same command again when it is back",
      ),
    );
  });
});
