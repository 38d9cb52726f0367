import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { ROOT } from "../support/root";

const PAGE = readFileSync(join(ROOT, "docs", "security.md"), "utf8");

/** Returns the name of every test and group of tests in a file: its own title after those of the groups around it. */
function namesIn(path: string): string[][] {
  const names: string[][] = [];
  const visit = (node: ts.Node, groups: readonly string[]): void => {
    const title = ts.isCallExpression(node) && /^(test|describe)\b/.test(node.getText());
    const [first] = title ? node.arguments : [];
    const inside = first && ts.isStringLiteralLike(first) ? [...groups, first.text] : groups;
    if (inside !== groups) {
      names.push([...inside]);
    }
    node.forEachChild((child) => visit(child, inside));
  };
  const text = readFileSync(join(ROOT, path), "utf8");
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true), []);
  return names;
}

/** Matches the name that a title gives its test: each %s and $property stands for a text that the file has too. */
function isNameOf(title: string, name: string, file: string): boolean {
  const pattern = title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/%s|\\\$\w+/g, "(.+)");
  const [, ...values] = new RegExp(`^${pattern}$`).exec(name) ?? [undefined, undefined];
  return values.every((value) => value !== undefined && file.includes(value));
}

const files = new Map(
  [...PAGE.matchAll(/^\[(\w+)\]: \.\.\/(__tests__\/\S+)$/gm)].map(([, label, path]) => [
    label,
    path,
  ]),
);
const linked = [...PAGE.matchAll(/\[([^\]]+)\]\[(\w+)\]/g)].map(([, name, label]) => ({
  name: name.replace(/\s+/g, " "),
  label,
}));

test.each(linked)("the page on security links to an existing test: $name", ({ name, label }) => {
  const path = files.get(label) ?? `no file has the label ${label}`;
  const file = readFileSync(join(ROOT, path), "utf8");
  const suffixes = namesIn(path).flatMap((titles) =>
    titles.map((_, i) => titles.slice(i).join(" ")),
  );
  expect(suffixes.filter((title) => isNameOf(title, name, file)).length).toBeGreaterThan(0);
});

test("the page on security has no link definition that it does not use", () => {
  const used = linked.map(({ label }) => label);
  expect([...files.keys()].filter((label) => !used.includes(label))).toEqual([]);
});

/** The sections about an attacker. */
const attackers = PAGE.split(/^## /m)
  .slice(2)
  .filter((section) => !/^(The engine|Loki|What is not secured)\n/.test(section));

test("the page on security covers every attacker", () => {
  expect(attackers.map((section) => section.split("\n")[0])).toEqual([
    "An application on project_net",
    "A leaked password of an application",
    "A leaked key pair of an application",
    "A leaked key pair of a service",
    "A compromised Alloy or exit relay",
    "A user of the Docker host without root",
    "Someone on the network between machines",
    "A reader of the repository",
    "A reader of the Terraform state",
    "A stale copy of the secrets",
    "A person with a Grafana login",
    "A CA that others use too",
  ]);
});

test("for every attacker, the page on security has a test of each refusal, and says what is not refused", () => {
  for (const section of attackers) {
    const [, refused, accepted] = section.split(/^\*\*(?:Refused|Not refused):\*\*$/m);
    const itemsOf = (text = "") => text.split(/^- /m).slice(1);
    const untested = itemsOf(refused).filter((item) => !/\]\[\w+\]/.test(item));
    expect([section.split("\n")[0], untested, itemsOf(accepted).length > 0]).toEqual([
      ...[section.split("\n")[0], [], true],
    ]);
  }
});
