import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../support/root";

const folder = mkdtempSync(join(tmpdir(), "measure-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns the answers by volume: size in KiB, and seconds since 1970. */
function measured(...names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const script = join(ROOT, "operations/volumes/measure.sh");
  const output = execFileSync("sh", [script, folder, ...names], { encoding: "utf8" });
  return new Map(
    output
      .trim()
      .split("\n")
      .map((line) => {
        const [name, ...values] = line.split(" ");
        return [name, values];
      }),
  );
}

const OLD = new Date("2026-01-01T00:00:00Z");
const NEW = new Date("2026-02-03T04:05:06Z");

test("a volume has its size on disk and its newest modification, however deep the file is", () => {
  mkdirSync(join(folder, "full", "a", "b c"), { recursive: true });
  writeFileSync(join(folder, "full", "a", "b c", "new"), Buffer.alloc(3 * 1024 * 1024, 1));
  writeFileSync(join(folder, "full", "old"), "");
  utimesSync(join(folder, "full", "a", "b c", "new"), NEW, NEW);
  for (const path of ["old", "a/b c", "a", ""]) {
    utimesSync(join(folder, "full", path), OLD, OLD);
  }
  const [size, newest] = measured("full").get("full") ?? [];
  expect(Number(size)).toBeGreaterThanOrEqual(3 * 1024);
  expect(Number(size)).toBeLessThan(4 * 1024);
  expect(Number(newest)).toBe(NEW.getTime() / 1000);
});

test("an empty volume has the time at which it was created or emptied, and one that cannot be read has no values", () => {
  mkdirSync(join(folder, "empty"));
  utimesSync(join(folder, "empty"), OLD, OLD);
  const answers = measured("empty", "missing");
  expect(answers.get("empty")?.[1]).toBe(String(OLD.getTime() / 1000));
  expect(answers.get("missing")).toEqual(["-", "-"]);
});
