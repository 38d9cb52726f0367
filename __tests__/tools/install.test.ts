import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { ROOT } from "../support/root";

const BINDINGS = join("packages", "provider-grafana");

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "install-"));
});
afterEach(() => rmSync(project, { recursive: true }));

function write(path: string, content: string | object): void {
  const file = join(project, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
}

function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  folder = "",
): SpawnSyncReturns<string> {
  return spawnSync(command, args, {
    cwd: join(project, folder),
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      HOME: join(project, "home"),
      npm_config_offline: "true",
      npm_config_update_notifier: "false",
      ...env,
    },
  });
}

const install = (env?: NodeJS.ProcessEnv) =>
  run(process.execPath, [join(project, "tools", "install.mjs")], env);
const isThere = (path: string) => existsSync(join(project, path));

/** A project with two packages, one of them for development, and one for no system. They are folders, so that npm needs no network. */
function declareProject(): void {
  cpSync(join(ROOT, "tools", "install.mjs"), join(project, "tools", "install.mjs"));
  const folders = { "@cdktf/provider-grafana": BINDINGS, tool: "tool", elsewhere: "elsewhere" };
  for (const [name, folder] of Object.entries(folders)) {
    write(join(folder, "package.json"), { name, version: "1.0.0" });
  }
  write(join(BINDINGS, "generate.mjs"), 'console.log("looked at the bindings");');
  const wanted = {
    name: "made",
    version: "1.0.0",
    dependencies: { "@cdktf/provider-grafana": `file:${BINDINGS}` },
    devDependencies: { tool: "file:tool" },
    optionalDependencies: { elsewhere: "file:elsewhere" },
  };
  const nowhere = { optional: true, os: ["nowhere"] };
  write("package.json", wanted);
  write("package-lock.json", {
    ...{ name: "made", version: "1.0.0", lockfileVersion: 3, requires: true },
    packages: {
      "": wanted,
      elsewhere: { version: "1.0.0", ...nowhere },
      "node_modules/@cdktf/provider-grafana": { resolved: BINDINGS, link: true },
      "node_modules/elsewhere": { resolved: "elsewhere", link: true, ...nowhere },
      "node_modules/tool": { resolved: "tool", link: true, dev: true },
      [BINDINGS]: { name: "@cdktf/provider-grafana", version: "1.0.0" },
      tool: { version: "1.0.0", dev: true },
    },
  });
  write(join("elsewhere", "package.json"), {
    name: "elsewhere",
    version: "1.0.0",
    os: ["nowhere"],
  });
}

let installed: string | undefined;
afterAll(() => installed && rmSync(installed, { recursive: true }));

/** Creates the same project with everything installed, with one npm ci for all tests. */
function installProject(): void {
  declareProject();
  if (!installed) {
    run("npm", ["ci"]);
    installed = mkdtempSync(join(tmpdir(), "installed-"));
    cpSync(join(project, "node_modules"), installed, { recursive: true, verbatimSymlinks: true });
  }
  cpSync(installed, join(project, "node_modules"), { recursive: true, verbatimSymlinks: true });
}

/** An npm that only prints its arguments. */
function madeNpm(script: string): NodeJS.ProcessEnv {
  write("bin/npm", `#!/bin/sh\n${script}\n`);
  chmodSync(join(project, "bin", "npm"), 0o755);
  return { PATH: [join(project, "bin"), process.env.PATH].join(delimiter) };
}

test("everything that the commands need is installed, even if variables omit packages", () => {
  declareProject();
  const { status, stdout } = install({ NODE_ENV: "production", NPM_CONFIG_OMIT: "dev" });
  expect([status, isThere("node_modules/tool/package.json")]).toEqual([0, true]);
  expect(stdout).toBe("looked at the bindings\n");
});

test("packages that the user's own installation omitted are installed, even if an .npmrc omits them", () => {
  declareProject();
  write(
    "home/.npmrc",
    "omit[]=dev\nomit[]=optional\nomit[]=peer\nlegacy-peer-deps=true\ninstall-strategy=linked\nignore-scripts=true\n",
  );
  run("npm", ["ci"]);
  expect([isThere("node_modules/.package-lock.json"), isThere("node_modules/tool")]).toEqual([
    true,
    false,
  ]);
  expect(install().status).toBe(0);
  expect(isThere("node_modules/tool/package.json")).toBe(true);
});

test("npm does not run if everything is installed, even if a checkout touched the lock file, and the bindings are checked", () => {
  installProject();
  const later = new Date(Date.now() + 60_000);
  utimesSync(join(project, "package-lock.json"), later, later);
  const { stdout, stderr, status } = install(madeNpm("exit 1"));
  expect([stdout, stderr, status]).toEqual(["looked at the bindings\n", "", 0]);
});

test("another version in the lock file is installed", () => {
  installProject();
  const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
  lock.packages.tool.version = "1.0.1";
  write("package-lock.json", lock);
  install(madeNpm('echo "$1" >asked'));
  expect(readFileSync(join(project, "asked"), "utf8")).toBe("ci\n");
});

test("a failure of npm shows npm's own error with context, without a stack trace", () => {
  declareProject();
  const { status, stderr } = install(madeNpm("echo 'npm error ENOSPC' >&2; exit 7"));
  expect(status).toBe(1);
  expect(stderr).toBe(
    "installing dependencies ...\nnpm error ENOSPC\nnpm ci failed with exit status 7, and node_modules lacks 4 packages of package-lock.json: fix the npm error above, then run the command again\n",
  );
});

test.each(["", "docs"])(
  "npx groundwork installs missing packages, then runs its program, from folder %j",
  (folder) => {
    declareProject();
    cpSync(join(ROOT, "commands", "groundwork.mjs"), join(project, "commands", "groundwork.mjs"));
    write("tools/register.js", "");
    write(
      "commands/program/program.ts",
      'exports.runProgram = (args) => { console.log("runs", ...args); process.exitCode = 3; };',
    );
    const { bin } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const wanted = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
    write("package.json", { ...wanted, bin });
    mkdirSync(join(project, folder), { recursive: true });
    const { status, stdout } = run("npx", ["groundwork", "up", "--without", "c"], {}, folder);
    expect([status, stdout]).toEqual([3, "looked at the bindings\nruns up --without c\n"]);
    expect(isThere("node_modules/tool/package.json")).toBe(true);
  },
);

describe("the bindings of the grafana provider", () => {
  /** Uses the schema of one resource, for speed, and can omit installed packages. */
  function copyBindings(...missing: readonly string[]): void {
    for (const file of ["generate.mjs", "constraint.mjs", "package.json"]) {
      cpSync(join(ROOT, BINDINGS, file), join(project, BINDINGS, file));
    }
    const schema = JSON.parse(readFileSync(join(ROOT, BINDINGS, "schema.json"), "utf8"));
    for (const provider of Object.values<{ resource_schemas: object }>(schema.provider_schemas)) {
      const [first] = Object.entries(provider.resource_schemas).filter(([name]) =>
        /_folder$/.test(name),
      );
      provider.resource_schemas = Object.fromEntries([first]);
    }
    write(join(BINDINGS, "schema.json"), schema);
    const modules = join(ROOT, "node_modules");
    const names = readdirSync(modules).filter((name) => !/^[.@]/.test(name));
    const scoped = readdirSync(join(modules, "@cdktf")).map((name) => `@cdktf/${name}`);
    for (const name of [...names, ...scoped].filter((one) => !missing.includes(one))) {
      mkdirSync(dirname(join(project, "node_modules", name)), { recursive: true });
      symlinkSync(join(modules, name), join(project, "node_modules", name));
    }
  }
  const generate = () => run(process.execPath, [join(project, BINDINGS, "generate.mjs")]);

  test("are generated once if they are missing", () => {
    copyBindings();
    expect(generate()).toMatchObject({
      status: 0,
      stderr: "generating the bindings for the grafana provider ...\n",
    });
    const made = join(project, BINDINGS, "lib", "folder", "index.js");
    const { mtimeMs } = statSync(made);
    expect(generate()).toMatchObject({ status: 0, stderr: "" });
    expect(statSync(made).mtimeMs).toBe(mtimeMs);
  });

  test("cause an error with a remedy if they cannot be generated, and npm ci still succeeds", () => {
    copyBindings("@cdktf/provider-generator");
    const { status, stderr } = generate();
    expect(status).toBe(1);
    expect(stderr).toContain(
      "cannot generate packages/provider-grafana/lib from schema.json: Cannot find module '@cdktf/provider-generator'; install the development dependencies: npm ci --include=dev\n",
    );
    expect(stderr).not.toContain("    at ");
    const { scripts } = JSON.parse(readFileSync(join(project, BINDINGS, "package.json"), "utf8"));
    expect(run("sh", ["-c", `cd ${BINDINGS} && ${scripts.prepare}`]).status).toBe(0);
  });
});

test("the app checks the bindings too, for npx cdktf after an npm ci that runs no scripts", () => {
  const { app } = JSON.parse(readFileSync(join(ROOT, "cdktf.json"), "utf8"));
  installProject();
  write("tools/register.js", "");
  write("main.ts", 'console.log("ran the app");');
  expect(run("sh", ["-c", app]).stdout).toBe("looked at the bindings\nran the app\n");
});
