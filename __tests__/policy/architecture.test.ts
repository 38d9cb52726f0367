import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { VERSION } from "../../constructs/version";
import { ROOT } from "../support/root";

/** What the lab's commands and all others may import from the lab. */
const LAB = "lab/environments.ts";

/** Folders of code and a file, each after those that it may import from. tools and lab do not import each other. */
const FLOORS = [
  ...[["constructs"], ["environments"], [LAB], ["secrets"], ["stacks"], ["catalog"]],
  ...[["operations"], ["lab", "tools"], ["commands"]],
];

/** The part of a floor that a file belongs to: the file itself, or its folder. */
const placeOf = (file: string) => (file === LAB ? LAB : file.split("/")[0]);

const filesIn = (place: string) =>
  place === LAB
    ? [LAB]
    : (readdirSync(join(ROOT, place), { recursive: true }) as string[])
        .filter((file) => file.endsWith(".ts"))
        .map((file) => join(place, file))
        .filter((file) => file !== LAB);

/** The files that users run and deploy. */
const sources = FLOORS.flat()
  .filter((folder) => !["lab", "tools"].includes(folder))
  .flatMap(filesIn);

const textOf = (file: string) => readFileSync(join(ROOT, file), "utf8");

/** Returns the files whose text matches. */
function filesWith(pattern: RegExp): string[] {
  return sources.filter((file) => pattern.test(textOf(file))).sort();
}

test("only one file uses the provider's container resource", () => {
  expect(filesWith(/provider-docker\/lib\/container"/)).toEqual([
    "constructs/container/service-container.ts",
  ]);
});

test("stacks use no provider resource except Grafana's folder and the provider itself", () => {
  const inStacks = (pattern: RegExp) =>
    filesWith(pattern).filter((file) => file.startsWith("stacks/"));
  expect(inStacks(/provider-docker\//)).toEqual([]);
  expect(inStacks(/provider-grafana\/lib\/(?!provider"|folder")/)).toEqual([]);
});

test("no construct reads environment variables, the clock or random numbers, and secrets are generated in one place", () => {
  const impure = /process\.env|Date\.now|new Date|Math\.random|randomBytes|process\.cwd/;
  expect(filesWith(impure).filter((file) => !/^(commands|operations)\//.test(file))).toEqual([
    "secrets/admin-password.ts",
    "secrets/certificates.ts",
    "secrets/platform-secrets.ts",
    "secrets/secret-files.ts",
  ]);
});

describe("the constructs are a library", () => {
  const inConstructs = (pattern: RegExp) =>
    filesWith(pattern).filter((file) => file.startsWith("constructs/"));

  test("that reads neither package.json nor environment variables", () => {
    const reading =
      /package\.json|process\.env|\benv\b.*from "node:process"|\{[^}]*\benv\b[^}]*\} = process\b/;
    expect([
      'import { version } from "../../package.json"',
      "process.env.HOME",
      'import { env } from "node:process"',
      "const { env } = process;",
    ]).toEqual(Array(4).fill(expect.stringMatching(reading)));
    expect(inConstructs(reading)).toEqual([]);
  });

  test("that imports nothing else of this project", () => {
    const outside = sources
      .filter((file) => file.startsWith("constructs/"))
      .flatMap(importsOf)
      .filter((file) => !file.startsWith("constructs/"));
    expect(outside).toEqual([]);
  });

  test("and has the version of the package", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(VERSION).toBe(version);
  });
});

test("no code sets environment variables of its own process, and child processes get their own", () => {
  const setting =
    /process\.env(\.\w+|\[[^\]]+\])?\s*(\?\?|\|\||&&)?=(?!=)|assign\(\s*process\.env|delete process\.env/;
  expect(["process.env.A = b", 'process.env["A"] ??= b', "delete process.env.A"]).toEqual([
    expect.stringMatching(setting),
    expect.stringMatching(setting),
    expect.stringMatching(setting),
  ]);
  expect(filesWith(setting)).toEqual([]);
});

test("a synth starts no process", () => {
  const starting = filesWith(/node:child_process/);
  expect(starting.filter((file) => !/^(commands|operations)\//.test(file))).toEqual([]);
});

test("main.ts stays within 40 lines", () => {
  expect(readFileSync(join(ROOT, "main.ts"), "utf8").split("\n").length).toBeLessThanOrEqual(41);
});

/** Returns the files of this project that a file imports, as paths from the root. */
function importsOf(file: string): string[] {
  return [...textOf(file).matchAll(/(?:from|import\(|require\() *"(\.[^"]+)"/g)].map(([, path]) => {
    const target = join(dirname(file), path);
    const known = [`${target}.ts`, join(target, "index.ts")].find((name) =>
      existsSync(join(ROOT, name)),
    );
    return known ?? target;
  });
}

test("imports go only down the layers from commands to constructs", () => {
  const floorOf = (file: string) => FLOORS.findIndex((floor) => floor.includes(placeOf(file)));
  const imports = FLOORS.flat()
    .flatMap(filesIn)
    .flatMap((file) => importsOf(file).map((other) => [file, other]))
    .filter(([file, other]) => placeOf(file) !== placeOf(other));
  expect(imports.length).toBeGreaterThan(100);
  expect(imports.filter(([file, other]) => floorOf(file) <= floorOf(other))).toEqual([]);
});

test("no files import each other in a circle", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    } else if (!done.has(file)) {
      for (const other of importsOf(file).filter((name) => sources.includes(name))) {
        visit(other, [...path, file]);
      }
      done.add(file);
    }
  };
  for (const file of sources) {
    visit(file, []);
  }
  expect(circles).toEqual([]);
});

describe("docs/architecture.md", () => {
  const page = readFileSync(join(ROOT, "docs", "architecture.md"), "utf8");
  const rooms = readdirSync(join(ROOT, "operations")).sort();
  const roomOf = (file: string) => /^operations\/([^/]+)\//.exec(file)?.[1];
  const used = new Set(
    sources.flatMap((file) => {
      const room = roomOf(file);
      return importsOf(file)
        .map(roomOf)
        .filter((other) => room && other && other !== room)
        .map((other) => `${room} --> ${other}`);
    }),
  );
  const arrows = [...page.matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from, to]) => [from, to]);
  const reachable = (from: string, to: string): boolean =>
    arrows.some(([a, b]) => a === from && (b === to || reachable(b, to)));

  test("draws every folder of operations/", () => {
    expect([...page.matchAll(/^ {2}(\w+)\["/gm)].map(([, name]) => name).sort()).toEqual(rooms);
  });

  test("has a path of arrows for every import between folders", () => {
    const undrawn = [...used].filter((use) => {
      const [from, to] = use.split(" --> ");
      return !reachable(from, to);
    });
    expect(undrawn).toEqual([]);
  });

  test("has no arrow without an import, and no cycles", () => {
    expect(arrows.filter(([from, to]) => !used.has(`${from} --> ${to}`))).toEqual([]);
    expect(rooms.filter((room) => reachable(room, room))).toEqual([]);
  });

  test("names every folder of code", () => {
    const links = FLOORS.flat().map((place) => (place === LAB ? place : `${place}/`));
    expect(links.filter((path) => !page.includes(`[${path}](../${path})`))).toEqual([]);
  });
});

test("exports that only tests import are marked @internal, and every export is imported", () => {
  const exports =
    /^(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?export (?:async )?(?:const|function|class) (\w+)/gm;
  const product = FLOORS.flat().flatMap(filesIn);
  const tests = filesIn("__tests__");
  const importers = new Map<string, string[]>();
  const programs = ["main.ts", "commands/groundwork.mjs", "tools/test.mjs"];
  for (const file of [...product, ...programs, ...filesIn("examples"), ...tests]) {
    for (const imported of importsOf(file)) {
      importers.set(imported, [...(importers.get(imported) ?? []), file]);
    }
  }
  const exported = product.flatMap((file) =>
    [...textOf(file).matchAll(exports)].map(([, docstring, name]) => {
      const word = new RegExp(`\\b${name}\\b`);
      const users = (importers.get(file) ?? []).filter((importer) => word.test(textOf(importer)));
      return {
        name: `${name} of ${file}`,
        isInternal: /@internal\b/.test(docstring ?? ""),
        isImported: users.length > 0,
        isOfTests: users.every((user) => user.startsWith("__tests__/")),
      };
    }),
  );
  const named = (chosen: typeof exported) => chosen.map(({ name }) => name);
  expect(exported.length).toBeGreaterThan(300);
  expect(named(exported.filter(({ isImported }) => !isImported))).toEqual([]);
  expect(named(exported.filter(({ isInternal, isOfTests }) => isInternal !== isOfTests))).toEqual(
    [],
  );
});

test("hermetic tests are in the folder of the code that they test, or in policy or support", () => {
  const folders = (readdirSync(join(ROOT, "__tests__"), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".test.ts"))
    .map(dirname)
    .filter((folder) => !/^(e2e|quarantine|policy|support)(\/|$)/.test(folder));
  // One module may have several test files.
  const mirrored = (folder: string) =>
    existsSync(join(ROOT, folder)) || existsSync(join(ROOT, `${folder}.ts`));
  expect(new Set(folders).size).toBeGreaterThan(20);
  expect([...new Set(folders)].filter((folder) => !mirrored(folder))).toEqual([]);
});

test("commands are short, and only the program imports them, when they run", () => {
  const commands = sources.filter((file) => /^commands\/[^/]+$/.test(file));
  const isProgram = (file: string) => file.startsWith("commands/program/");
  const importing = sources.filter((file) =>
    importsOf(file).some((name) => commands.includes(name)),
  );
  expect(importing.filter((file) => !isProgram(file))).toEqual([]);
  expect(filesWith(/from "\.\.\/[a-z-]+"/).filter(isProgram)).toEqual([]);
  const long = commands.filter((file) => textOf(file).split("\n").length > 50);
  expect(long).toEqual([]);
});

test("only one place runs commands in containers", () => {
  expect(filesWith(/"exec"/)).toEqual(["operations/platform/platform.ts"]);
});

test("ports and schemes come from the constructs that own them, and one function decides whether TLS is enabled", () => {
  const address = /\b(9092|19092|9200|9090|3100)\b|"https"/;
  expect(filesWith(address).filter((file) => /^(commands|operations|stacks)\//.test(file))).toEqual(
    [],
  );
  expect(filesWith(/[!=]== "tls"/)).toEqual(["environments/environment.ts"]);
});
