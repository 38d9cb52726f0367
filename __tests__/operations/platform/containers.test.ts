import { labThree } from "../../../lab/environments";
import { endsIn, inspectContainers } from "../../../operations/platform/containers";
import { Platform } from "../../../operations/platform/platform";
import { programsOnPath } from "../../support/programs";

const { program } = programsOnPath();

test("a container's last end comes from its engine's events, with the oom event before or after", () => {
  const event = (Action: string, name: string, time: number, exitCode?: string) =>
    JSON.stringify({ Action, time, Actor: { Attributes: { name, exitCode } } });
  const ends = endsIn([
    event("die", "kafka-1", 100, "1"),
    event("die", "kafka-1", 110, "2"),
    event("oom", "kafka-2", 100),
    event("die", "kafka-2", 100, "137"),
    event("die", "kafka-3", 100, "137"),
    event("oom", "kafka-3", 101),
    event("oom", "loki", 100),
    event("die", "loki", 300, "137"),
    "Error response from daemon: it stops",
  ]);
  expect(Object.fromEntries(ends)).toEqual({
    "kafka-1": { exitCode: 2, oomKilled: false },
    "kafka-2": { exitCode: 137, oomKilled: true },
    "kafka-3": { exitCode: 137, oomKilled: true },
    loki: { exitCode: 137, oomKilled: false },
  });
});

describe("of the containers of three machines", () => {
  const names = ["kafka-1", "kafka-2", "kafka-3", "opensearch-2", "opensearch-3"];
  const inspect = async () => {
    const { states, gone } = await inspectContainers(new Platform(labThree), names);
    return {
      names: states.map(({ Name }) => Name),
      gone: gone.map(({ description }) => description),
    };
  };
  const answer = (ofMachineB: string) =>
    program(
      "docker",
      `case "$DOCKER_HOST" in
         */a.sock) echo '{"Name":"/kafka-1"}' ;;
         */b.sock) ${ofMachineB} ;;
         */c.sock) echo '{"Name":"/opensearch-3"}'; echo 'Error response from daemon: No such container: kafka-3' >&2; exit 1 ;;
       esac`,
    );

  test("those that do not exist are missing", async () => {
    answer(`echo '{"Name":"/kafka-2"}'; echo 'Error: No such container: opensearch-2' >&2; exit 1`);
    expect(await inspect()).toEqual({ names: ["/kafka-1", "/kafka-2", "/opensearch-3"], gone: [] });
  });

  test.each([
    ["does not answer", "echo 'Cannot connect to the Docker daemon' >&2; exit 1"],
    [
      "dies midway",
      `echo '{"Name":"/kafka-2"}'; echo 'Cannot connect to the Docker daemon' >&2; exit 1`,
    ],
    [
      "dies after one that does not exist",
      "echo 'Error: No such container: kafka-2' >&2; echo 'Cannot connect to the Docker daemon' >&2; exit 1",
    ],
  ])("nothing is known of those of an engine that %s", async (_, script) => {
    answer(script);
    expect(await inspect()).toEqual({
      names: ["/kafka-1", "/opensearch-3"],
      gone: [
        "machine b: the Docker engine stopped answering: Cannot connect to the Docker daemon; run the same command again when it is back, or deploy without it: npm run up -- --exclude-machine b",
      ],
    });
  });
});
