import { runLabScript } from "../../../lab/scripts";
import { expectDone, type Finished, npm, onceItSays } from "../../support/lab";
import {
  bootAgain,
  expectNoChanges,
  loadOn,
  MACHINES,
  missed,
  missing,
  on,
  onMachines,
} from "../../support/machines";
import { projectCopy } from "../../support/project-copy";

const otherClone = projectCopy();
onMachines();

/** Does work while a deploy of another clone is suspended, and then kills that one with -9. */
async function whileLocked(work: () => Promise<void>): Promise<void> {
  await onceItSays(
    /^planning environment/m,
    async (_, group) => {
      process.kill(-group, "SIGSTOP");
      try {
        await work();
      } finally {
        process.kill(-group, "SIGKILL");
      }
    },
    ...(["node", ["commands/groundwork.mjs", "up"], otherClone.folder] as const),
  );
}

/** Asserts that a command was refused since another clone deploys. */
function expectLocked({ exitCode, output }: Finished): void {
  expect(exitCode).toBe(1);
  expect(output).toMatch(
    /environment "lab-three" is locked by npm run up, by \S+ on host \S+ \(process \d+\), since .* ago\. Nothing was changed: wait until it ends/,
  );
}

const UNLOCKED = /npm run up, by .* ended without unlocking: its lock is removed/;

/** Returns the machines that have a lock. */
const locked = () =>
  MACHINES.map(({ name }) => name).filter(
    (name) => on(name, "volume", "ls", "--quiet", "--filter", "label=groundwork.lock") !== "",
  );

test("no application notices a machine that loses power during a deploy, which no other one interrupts, and the machine comes back with its data", async () => {
  const load = await loadOn("a");
  await whileLocked(async () => {
    expect(locked()).toEqual(["a", "b", "c"]);
    expectLocked(npm("up"));
    await runLabScript("machines.sh", "kill", "c");
    expectLocked(npm("up", ["--exclude-machine", "c"]));
  });
  await missed("a");
  await load.goesOn();

  const refused = npm("up");
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toMatch(UNLOCKED);
  expect(refused.output).toContain(
    "- machine c: no Docker engine answers at unix:///run/groundwork-lab/c.sock: ",
  );
  const reduced = npm("up", ["--exclude-machine", "c"]);
  expectDone(reduced);
  expect(reduced.output).toContain("excluded machines, and all containers on them: c\n");
  expect(reduced.output).toMatch(/^AUT-001 +yes /m);
  expect(reduced.output).toMatch(/^AUT-003 +yes +memory reservation is set on 9 containers$/m);
  expect(reduced.output).toMatch(
    /^NFR-LOSS +yes +with c excluded, one of these machines may also be lost: none$/m,
  );
  expect(reduced.output).not.toMatch(/^\S+ +NO /m);

  await bootAgain("c", "a");
  load.finish();
  expect(locked()).toEqual(["c"]);
});

test("the next deploy covers all machines, with their lock, and the one after it changes nothing", () => {
  const whole = npm("up");
  expectDone(whole);
  expect(whole.output).toMatch(UNLOCKED);
  expect(locked()).toEqual([]);
  expect(whole.output).not.toMatch(/^\S+ +NO /m);
  const again = npm("up");
  expectNoChanges(again);
  expect(again.output).not.toMatch(/^\S+ +NO /m);
});

test("npm run up names a suspended engine, whose containers keep serving", async () => {
  await runLabScript("machines.sh", "freeze", "b");
  const refused = npm("up");
  await runLabScript("machines.sh", "thaw", "b");
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain(
    "- machine b: no Docker engine answers at unix:///run/groundwork-lab/b.sock: no answer within 15 s; ",
  );
  expect(missing("a")).toEqual([]);
});
