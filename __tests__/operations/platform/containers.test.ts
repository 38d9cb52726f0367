import { endsIn } from "../../../operations/platform/containers";

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
