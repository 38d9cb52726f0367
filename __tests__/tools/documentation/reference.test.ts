import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createProgram } from "../../../commands/program/program";
import { production } from "../../../environments/production";
import { renderCommands } from "../../../tools/documentation/commands";
import { renderPrincipals } from "../../../tools/documentation/principals";
import {
  exportedTypes,
  REFERENCE_PAGES,
  renderReference,
} from "../../../tools/documentation/reference";
import { synthesize } from "../../support/platform";
import { ROOT } from "../../support/root";

const FOLDER = join(ROOT, "docs", "reference");
const types = exportedTypes();
const pages = Object.keys(REFERENCE_PAGES);

test("the pages are these", () => {
  expect(readdirSync(FOLDER).sort()).toEqual(
    [...pages, "commands", "principals"].map((page) => `${page}.md`).sort(),
  );
});

test.each(pages)(
  "docs/reference/%s.md matches the types: npm run reference regenerates it",
  (page) => {
    expect(readFileSync(join(FOLDER, `${page}.md`), "utf8")).toBe(renderReference(page, types));
  },
);

test.each(pages)(
  "docs/reference/%s.md gives every property a type, a default and a meaning",
  (page) => {
    const rows = renderReference(page, types)
      .split("\n")
      .filter((line) => /^\| (`|any)/.test(line))
      .map((line) => line.split(/ (?<!\\)\| ?/));
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter(([, type, , meaning]) => !type || !meaning)).toEqual([]);
  },
);

test("docs/reference/principals.md matches the stacks: npm run reference regenerates it", () => {
  const stacks = new Map(Object.entries(synthesize(production).stacks));
  expect(readFileSync(join(FOLDER, "principals.md"), "utf8")).toBe(
    renderPrincipals(production, stacks),
  );
});

test("docs/reference/commands.md matches the commands' help: npm run reference regenerates it", () => {
  expect(readFileSync(join(FOLDER, "commands.md"), "utf8")).toBe(renderCommands(createProgram()));
});

test("docs/reference/commands.md describes every visible option, and no hidden one", () => {
  const program = createProgram();
  const rows = renderCommands(program).split("\n");
  for (const option of program.commands.flatMap(({ options }) => options)) {
    const described = rows.filter((line) => line.startsWith(`| \`${option.flags}\` | `));
    expect([option.flags, described.length > 0]).toEqual([option.flags, !option.hidden]);
    expect(described.filter((line) => !/ \| \S[^|]* \|$/.test(line))).toEqual([]);
  }
});

test("the props of every public construct are on a page", () => {
  const index = readFileSync(join(ROOT, "constructs", "index.ts"), "utf8");
  const taken = [...index.matchAll(/type (\w+Props)\b/g)].map(([, name]) => name);
  expect(taken.length).toBeGreaterThan(15);
  const described = Object.values(REFERENCE_PAGES).flatMap((page) => page.types);
  expect(taken.filter((name) => !described.includes(name))).toEqual([]);
});
