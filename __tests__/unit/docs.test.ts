import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(__dirname, "..", "..");
const { scripts } = require("../../package.json");

const pages = [
  "README.md",
  join("lab", "README.md"),
  ...(readdirSync(join(ROOT, "docs"), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

test("there is a page for everything that one does often", () => {
  expect(pages.map(({ path }) => path).filter((path) => path.startsWith("docs/how-to/"))).toEqual(
    [
      "alert",
      "application",
      "backend",
      "dashboard",
      "environment",
      "failed-init",
      "image",
      "index-template",
      "node",
      "topic",
    ].map((name) => `docs/how-to/${name}.md`),
  );
});

test.each(pages)("every link and every command of $path leads somewhere", ({ path, text }) => {
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(
    ([, link]) => link,
  );
  expect(links.filter((link) => !existsSync(join(ROOT, dirname(path), link)))).toEqual([]);
  const commands = [...text.matchAll(/npm run ([a-z][a-z0-9:-]*)/g)].map(([, name]) => name);
  expect(commands.filter((name) => !(name in scripts))).toEqual([]);
});

test("every container that a page names is one of the platform's", () => {
  const known =
    /^(kafka|opensearch)-(\d|init)$|^(os-init|exit-relay|alloy|grafana|loki|prometheus)$/;
  const named = pages.flatMap(({ text }) =>
    [
      ...text.matchAll(/docker (?:logs|exec|start|restart)((?: --\S+(?: \d+)?)*) ([a-z][\w-]*)/g),
    ].map(([, , name]) => name),
  );
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !known.test(name))).toEqual([]);
});
