import { Steps } from "../../lab/scripts";

test("parallel steps are shown while they run, and with their duration when they end", () => {
  const said: string[] = [];
  const reminded: string[] = [];
  let drawn: readonly string[] = [];
  let now = 0;
  const steps = new Steps(
    {
      say: (text) => said.push(text),
      draw: (lines) => {
        drawn = lines;
      },
      remind: (_, text) => reminded.push(text),
      end: () => undefined,
    },
    () => now,
  );
  steps.tell("lab: building image kafka ...");
  now = 4000;
  steps.tell("lab: building the lab's provider ...");
  expect(drawn).toEqual(["building image kafka ... 4 s", "building the lab's provider ... 0 s"]);
  steps.tell("lab: building image kafka: done in 5s");
  steps.tell("lab: the Docker engine is running");
  steps.tell("go: no space left on device");
  expect(drawn).toEqual(["building the lab's provider ... 0 s"]);
  expect(said).toEqual([
    "building image kafka: 5 s",
    "the Docker engine is running",
    "go: no space left on device",
  ]);
  expect(reminded).toContain("building image kafka ... 4 s");
});
