import { readFileSync } from "node:fs";
import { join } from "node:path";
import { catalog } from "../../catalog";
import { EXIT_CODES, KAFKA_IMAGE } from "../../constructs";
import { laptop } from "../../environments/laptop";
import { compare } from "../../operations/changes/preview";
import { RENDERERS } from "../../operations/changes/render";
import { containers, synthesize } from "../support/platform";
import { synthesis, withTopics } from "../support/previews";
import { ROOT } from "../support/root";

const README = readFileSync(join(ROOT, "README.md"), "utf8");
const { scripts } = require("../../package.json");

test("the exit codes on the page about failed sidecars are the sidecars'", () => {
  const page = readFileSync(join(ROOT, "docs", "how-to", "failed-init.md"), "utf8");
  const listed = [...page.matchAll(/^- \*\*(\d+)\*\*: (.*(?:\n {2}.*)?)$/gm)].map(
    ([, code, meaning]) => [code, meaning.replace("\n  ", " ")],
  );
  expect(listed).toEqual(Object.entries(EXIT_CODES));
});

test("the README's preview is what a preview of that topic prints", () => {
  const topics = [...catalog.topics, { name: "orders", partitions: 6 }];
  expect(README).toContain('Add `{ name: "orders", partitions: 6 },` to [catalog/topics.ts]');
  const report = compare("laptop", "HEAD", synthesis(), withTopics(topics));
  expect(README).toContain(`\`\`\`\n${RENDERERS.terminal([report]).trim()}\n\`\`\``);
});

test("the README's images are those of the platform", () => {
  expect([...new Set(README.match(/\bapache\/kafka:[\w.-]+/g))]).toEqual([KAFKA_IMAGE]);
});

test("the README is at most 200 lines of at most 120 characters", () => {
  const lines = README.trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(200);
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
});

test("the README names only commands that exist", () => {
  const names = [...README.matchAll(/npm run ([a-z][a-z0-9:-]*)/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !(name in scripts))).toEqual([]);
});

test("the README's memory figures match the table", () => {
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

test("the README's guarantees are those that npm run up prints", () => {
  const printed = ["acceptance.ts", "observability.ts"].flatMap((file) => {
    const code = readFileSync(join(ROOT, "operations", "checks", file), "utf8");
    return [...code.matchAll(/guarantee: `(.+)`|"(?:AUT|NFR)-\w+",\s*`(.+)`/g)].map(
      ([, row, checked = row]) => new RegExp(`^${checked.replace(/\$\{[^}]*\}/g, ".+")}$`),
    );
  });
  const rows = [...README.matchAll(/^(?:AUT|NFR)-\w+ +yes +(.+)$/gm)].map(([, row]) => row);
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.filter((row) => !printed.some((pattern) => pattern.test(row)))).toEqual([]);
});
