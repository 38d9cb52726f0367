import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT_CODES } from "../../constructs";
import { laptop } from "../../environments/laptop";
import { containers, synthesize } from "../support/platform";
import { ROOT } from "../support/root";

const README = readFileSync(join(ROOT, "README.md"), "utf8");
const { scripts } = require("../../package.json");

test("the README's table of exit codes is the sidecars'", () => {
  const table = [...README.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => [
    code,
    meaning,
  ]);
  expect(table).toEqual(Object.entries(EXIT_CODES));
});

test("the README names only commands that exist", () => {
  const names = [...README.matchAll(/npm run ([a-z][a-z0-9:-]*)/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !(name in scripts))).toEqual([]);
});

test("the README's figures of memory are the table's", () => {
  const all = containers(synthesize(laptop).stacks);
  const gibibytes = (field: "memory" | "memory_reservation") =>
    all.reduce((sum, body) => sum + body[field], 0) / 1024;
  expect(README).toContain(
    `reserve ${gibibytes("memory_reservation").toFixed(1)} GiB and may use ${gibibytes("memory").toFixed(1)} GiB`,
  );
});

test("the README's first two screens end in the first success", () => {
  const [before] = README.split("NFR-IDEM     yes");
  expect(before).toContain("npm run up");
  expect(before.split("\n").length).toBeLessThan(60);
});
