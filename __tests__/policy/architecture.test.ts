import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "..", "..");

const sources = ["constructs", "stacks", "environments", "catalog", "commands"].flatMap((folder) =>
  (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file)),
);

/** Files whose text matches. */
function filesWith(pattern: RegExp): string[] {
  return sources.filter((file) => pattern.test(readFileSync(join(ROOT, file), "utf8"))).sort();
}

test("one place knows the provider's container resource", () => {
  expect(filesWith(/provider-docker\/lib\/container"/)).toEqual([
    "constructs/service/service-container.ts",
  ]);
});

test("stacks know no resource of a provider but Grafana's folder and the provider itself", () => {
  const inStacks = (pattern: RegExp) =>
    filesWith(pattern).filter((file) => file.startsWith("stacks/"));
  expect(inStacks(/provider-docker\//)).toEqual([]);
  expect(inStacks(/provider-grafana\/lib\/(?!provider"|folder")/)).toEqual([]);
});

test("no construct reads the environment, the clock or a random number; secrets are made in one place", () => {
  const impure = /process\.env|Date\.now|new Date|Math\.random|randomBytes|process\.cwd/;
  expect(filesWith(impure).filter((file) => !file.startsWith("commands/"))).toEqual([
    "environments/secrets.ts",
  ]);
});

test("main.ts stays within 40 lines", () => {
  expect(readFileSync(join(ROOT, "main.ts"), "utf8").split("\n").length).toBeLessThanOrEqual(41);
});
