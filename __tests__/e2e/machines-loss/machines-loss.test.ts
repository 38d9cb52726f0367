import { setTimeout } from "node:timers/promises";
import { labThree } from "../../../environments/lab-three";
import { runLabScript, stopMachines } from "../../../lab/prepare";
import { expectDone, freshLab, npm, onceItSays } from "../../support/lab";
import {
  bootAgain,
  endLoad,
  loadOn,
  MACHINES,
  missed,
  missing,
  on,
  wholeAgain,
} from "../../support/machines";

beforeAll(async () => {
  await freshLab(labThree);
  expectDone(npm("up"));
});
afterEach(endLoad);
afterAll(stopMachines);

test("a machine whose power is cut is missed by no application, and is back with its data when it starts again", async () => {
  const load = await loadOn("a");
  await runLabScript("machines.sh", "kill", "c");
  await missed("a");
  await load.goesOn();

  const refused = npm("up");
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain(
    "- machine c: no Docker engine answers at unix:///run/groundwork-lab/c.sock: ",
  );
  const without = npm("up", ["--without", "c"]);
  expectDone(without);
  expect(without.output).toContain("left out with what is placed there: c\n");
  expect(without.output).toMatch(/^AUT-001 +yes /m);
  expect(without.output).toMatch(/^AUT-003 +yes +memory reservation in force on 9 containers$/m);
  expect(without.output).toMatch(/^NFR-LOSS +yes +without c, one more may be lost of: none$/m);
  expect(without.output).not.toMatch(/^\S+ +NO /m);

  await bootAgain("c", "a");
  load.finish();
});

test("all machines are deployed to after that, and then nothing is to be done", () => {
  const whole = npm("up");
  expectDone(whole);
  expect(whole.output).not.toMatch(/^\S+ +NO /m);
  const again = npm("up");
  expectDone(again);
  expect(again.output.match(/: no changes/g)).toHaveLength(5 * (1 + MACHINES.length));
  expect(again.output).not.toMatch(/^\S+ +NO /m);
});

test("an engine that is suspended is named, and its containers serve on", async () => {
  await runLabScript("machines.sh", "freeze", "b");
  const refused = npm("up");
  await runLabScript("machines.sh", "thaw", "b");
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain(
    "- machine b: no Docker engine answers at unix:///run/groundwork-lab/b.sock: no answer within 15 s; ",
  );
  expect(missing("a")).toEqual([]);
});

// The one with the sidecars, and the first of the managers.
test("a machine that is made anew takes its place, and has copies of everything again, also when its engine is suspended meanwhile", async () => {
  const load = await loadOn("b");
  await runLabScript("machines.sh", "wipe", "a");
  await missed("b");
  await load.goesOn();
  await runLabScript("machines.sh", "boot", "a");
  const swarm = npm("swarm");
  expect(swarm).toEqual({
    exitCode: 0,
    output:
      "a: what it was before is removed from the Swarm\na: joined as manager\nb: is in the Swarm\nc: is in the Swarm\n",
  });
  const ids = () => on("b", "ps", "--quiet", "--no-trunc") + on("c", "ps", "--quiet", "--no-trunc");
  const before = ids();
  // For as long as the Swarm takes to give up what an engine asks of it. Whether it comes to that, the next deploy does what is missing.
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
  const anew = npm("up");
  expectDone(anew);
  expect(anew.output).toMatch(/^NFR-LOSS +yes +any one of the machines may be lost: a, b, c$/m);
  expect(anew.output).not.toMatch(/^\S+ +NO /m);
  expect(ids()).toBe(before);
  await wholeAgain("b");
  load.finish();
});
