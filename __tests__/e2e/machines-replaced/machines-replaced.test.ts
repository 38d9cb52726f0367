import { setTimeout } from "node:timers/promises";
import { runLabScript } from "../../../lab/scripts";
import { expectDone, npm, onceItSays } from "../../support/lab";
import { loadOn, missed, on, onMachines, wholeAgain } from "../../support/machines";

onMachines();

// Machine a has the init sidecars and is the first manager of the Swarm.
test("a machine that lost its data rejoins and gets every replica again, even if its engine is suspended during the deploy", async () => {
  const load = await loadOn("b");
  await runLabScript("machines.sh", "wipe", "a");
  await missed("b");
  await load.goesOn();
  await runLabScript("machines.sh", "boot", "a");
  const swarm = npm("swarm");
  expect(swarm).toEqual({
    exitCode: 0,
    output:
      'a: removed its former node from the Swarm\na: joined as manager\nb: already in the Swarm\nc: already in the Swarm\nthe machines of environment "lab-three" are one Swarm: npm run doctor checks them, npm run up deploys\n',
  });
  const ids = () => on("b", "ps", "--quiet", "--no-trunc") + on("c", "ps", "--quiet", "--no-trunc");
  const before = ids();
  // Until the Swarm gives up an engine's request. Whether or not it does, the next deploy completes what is missing.
  await onceItSays(
    /kafka-1: creating/,
    async () => {
      await runLabScript("machines.sh", "freeze", "a");
      await setTimeout(20_000);
      await runLabScript("machines.sh", "thaw", "a");
    },
    "npm",
    ["run", "--silent", "up"],
  );
  const next = npm("up");
  expectDone(next);
  expect(next.output).toMatch(/^NFR-LOSS +yes +any one machine may be lost: a, b, c$/m);
  expect(next.output).not.toMatch(/^\S+ +NO /m);
  expect(ids()).toBe(before);
  await wholeAgain("b");
  load.finish();
});
