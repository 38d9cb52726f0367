import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT_CODES, MEMORY_TIERS } from "../../constructs";
import { laptop } from "../../environments/laptop";

const README = readFileSync(join(__dirname, "..", "..", "README.md"), "utf8");
const { scripts } = require("../../package.json");

test("the README's table of exit codes is the sidecars'", () => {
  const table = [...README.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => [
    code,
    meaning,
  ]);
  expect(table).toEqual(Object.entries(EXIT_CODES));
});

test("the README names only commands that exist", () => {
  const names = [...README.matchAll(/npm run ([a-z:]+[a-z0-9]*)/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !(name in scripts))).toEqual([]);
});

test("the README's figures of memory are the table's", () => {
  const nodes = [
    { count: laptop.openSearch.nodes, tier: MEMORY_TIERS.search },
    { count: laptop.kafka.brokers, tier: MEMORY_TIERS.broker },
  ];
  const gibibytes = (field: "limitMiB" | "reservationMiB") =>
    (nodes.reduce((sum, { count, tier }) => sum + count * tier[field] * laptop.memoryScale, 0) +
      2 * MEMORY_TIERS.job[field]) /
    1024;
  expect(README).toContain(
    `reserve ${gibibytes("reservationMiB").toFixed(1)} GiB and may use ${gibibytes("limitMiB").toFixed(1)} GiB`,
  );
});
