import { runLabScript } from "../../../lab/scripts";
import { expectDone, npm } from "../../support/lab";
import {
  bootAgain,
  expectNoChanges,
  loadOn,
  missed,
  missing,
  onMachines,
} from "../../support/machines";

onMachines();

test("no application notices a machine that loses power, and the machine comes back with its data", async () => {
  const load = await loadOn("a");
  await runLabScript("machines.sh", "kill", "c");
  await missed("a");
  await load.goesOn();

  const refused = npm("up");
  expect(refused.exitCode).toBe(1);
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
});

test("the next deploy covers all machines, and the one after it changes nothing", () => {
  const whole = npm("up");
  expectDone(whole);
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
