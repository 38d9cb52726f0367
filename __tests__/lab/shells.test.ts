import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { copyOfProject } from "../../lab/bench/copy";
import { lab } from "../../lab/environments";
import { synthesizeProject, synthesizeTree } from "../../operations/synthesis/tree";
import { ROOT } from "../support/root";

const folder = mkdtempSync(join(tmpdir(), "shells-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of the project as checked out with umask 077 in a folder with spaces, a symlink to it, and a folder on CDPATH. */
const copy = join(folder, "my projects", "ground work");
const link = join(folder, "link");
const elsewhere = join(folder, "elsewhere");
const bin = join(folder, "bin");
beforeAll(() => {
  mkdirSync(copy, { recursive: true });
  copyOfProject(copy);
  // The copy must not share its state with the project.
  rmSync(join(copy, ".state"));
  spawnSync("chmod", ["-R", "--no-dereference", "go=", copy]);
  symlinkSync(copy, link);
  for (const name of [".ci", "lab"]) {
    mkdirSync(join(elsewhere, name), { recursive: true });
  }
  mkdirSync(bin);
  program(
    "docker",
    `case "$1" in
       info) echo '{"ServerVersion": "made", "DockerRootDir": "/", "MemTotal": 68719476736}' ;;
       version) echo 1.51 ;;
       image) shift 4; printf '"%s"\\n' "$@" ;;
     esac`,
  );
  program("terraform", "echo 'Terraform v1.11.4'");
});

function program(name: string, script: string, into = bin): void {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(into, name), 0o755);
}

/** Runs a command line in a shell, without a terminal. */
function shell(
  command: string,
  { cwd = copy, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): SpawnSyncReturns<string> {
  return spawnSync("sh", ["-c", command], {
    cwd,
    encoding: "utf8",
    env: {
      PATH: [bin, process.env.PATH].join(delimiter),
      HOME: join(folder, "a home"),
      npm_config_update_notifier: "false",
      GROUNDWORK_LAB_CACHE: join(folder, "the cache"),
      ...env,
    },
  });
}

// Combines conditions: if one of them causes a failure, the others do not hide it.
test.each<[string, string, NonNullable<Parameters<typeof shell>[1]>]>([
  [
    "in a folder with spaces, with CDPATH and LANG=C",
    "npm run doctor",
    { env: { CDPATH: elsewhere, LANG: "C", LC_ALL: "C" } },
  ],
  [
    "behind a symlink, with umask 077 and TERM=dumb",
    "umask 077; npm run doctor",
    { cwd: link, env: { PWD: link, TERM: "dumb" } },
  ],
])("npm run doctor works %s, without a terminal", (_, command, options) => {
  // With a remote engine and a provider mirror, doctor checks nothing that depends on this machine.
  const mirror = join(folder, "terraform rc");
  writeFileSync(mirror, 'provider_installation { network_mirror { url = "https://x/" } }');
  const env = { DOCKER_HOST: "ssh://deploy@engine", TF_CLI_CONFIG_FILE: mirror, ...options.env };
  const { status, stdout, stderr } = shell(command, { ...options, env });
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^images +yes +7, all available$/m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal codes begin with it
  expect(stdout).not.toMatch(/\u001b/);
});

test("a synth contains no path, and is the same behind a symlink, in a folder with spaces and with umask 077", async () => {
  const here = await synthesizeProject(lab);
  expect(await synthesizeTree(link, "lab")).toEqual(here);
  expect(JSON.stringify([...here])).not.toContain(ROOT);
});

test("the gate runs in its own folder, not in one on CDPATH", () => {
  const tools = join(folder, "gate");
  for (const name of ["shellcheck", "busybox", "dash", "sleep"]) {
    program(name, "", tools);
  }
  program("node", "pwd -P; exit 1", tools);
  const PATH = [tools, process.env.PATH].join(delimiter);
  const { stdout } = shell(".ci/run", { env: { CDPATH: elsewhere, PATH } });
  expect(stdout).toContain(`\n${copy}\n`);
  expect(stdout).not.toContain(`\n${elsewhere}\n`);
});

describe("the lab's scripts", () => {
  /** Programs that only create the files that the scripts need to continue. */
  beforeAll(() => {
    program(
      "go",
      `case "$1" in env) echo made; exit ;; esac
       while [ $# -gt 0 ]; do [ "$1" != -o ] || { mkdir -p "\${2%/*}" && : >"$2"; }; shift; done`,
      join(folder, "builders"),
    );
    for (const [name, script] of Object.entries({
      "apt-get": "",
      "dpkg-query": "echo install ok installed",
      mmdebstrap: "echo made",
      gcc: 'while [ $# -gt 0 ]; do [ "$1" != -o ] || : >"$2"; shift; done',
      mvn: `for option; do case $option in -DoutputDirectory=*)
              mkdir -p "\${option#*=}" && cd "\${option#*=}" && : >opensearch-scripting-painless-spi-1.jar && : >lang-painless-1.jar ;;
            esac; done`,
      docker: `case "$1" in
                 build) for context; do :; done; cp -a "$context" "$BUILT/$$" ;;
                 import) cat >/dev/null; echo made ;;
                 tag) ;;
                 *) exit 1 ;;
               esac`,
    })) {
      program(name, script, join(folder, "builders"));
    }
  });
  const builders = (env: NodeJS.ProcessEnv = {}) => ({
    PATH: [join(folder, "builders"), process.env.PATH].join(delimiter),
    ...env,
  });

  test.each([
    ["from a folder with spaces", {}],
    ["with CDPATH", { CDPATH: "." }],
    ["with LANG=C", { LC_ALL: "C" }],
  ])("find their own files %s", (_, env) => {
    const { stdout, stderr, status } = shell("lab/provider.sh", { env: builders(env) });
    expect([status, stderr.replace(/^lab: .*\n/gm, "")]).toEqual([0, ""]);
    const config = stdout.trim().split("\n").pop() as string;
    expect(readFileSync(config, "utf8")).toContain(`path = "${join(folder, "the cache")}/`);
  });

  test("accept a Terraform whose path has spaces", () => {
    const terraform = join(folder, "my projects", "tofu");
    program("tofu", "", join(folder, "my projects"));
    const { stdout } = shell("lab/terraform.sh", { env: { TERRAFORM_BINARY_NAME: terraform } });
    expect(stdout).toBe(`${terraform}\n`);
  });

  const KINDS = ["kafka", "opensearch", "prometheus", "docker-cli", "haproxy", "exporters"];

  test("build images that their users can read from a checkout that only its owner can read", () => {
    const built = join(folder, "built");
    mkdirSync(built);
    const { status, stderr } = shell(
      `umask 077; lab/images.sh ${KINDS.map((kind) => `${kind}=${kind}:1`).join(" ")}`,
      {
        env: builders({ BUILT: built }),
      },
    );
    expect([status, stderr]).toEqual([0, ""]);
    // Includes the base image of the JVMs.
    expect(readdirSync(built)).toHaveLength(KINDS.length + 1);
    const hidden = spawnSync(
      "find",
      [built, "-mindepth", "2", "-not", "-name", "Dockerfile", "-not", "-perm", "-044"],
      { encoding: "utf8" },
    );
    expect(hidden.stdout).toBe("");
    const closed = spawnSync(
      "find",
      [built, "-mindepth", "2", "-perm", "-100", "-not", "-perm", "-011"],
      { encoding: "utf8" },
    );
    expect(closed.stdout).toBe("");
  });
});

test("every script that changes to a folder relative to itself unsets CDPATH", () => {
  const files = spawnSync("git", ["ls-files", "-co", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const careless = files.stdout
    .split("\n")
    .filter((file) => /\.sh$|^\.ci\/run$/.test(file))
    .map((file) => [file, readFileSync(join(ROOT, file), "utf8")])
    .filter(([, text]) => /\bcd "\$\(dirname /.test(text) && !/^unset CDPATH$/m.test(text));
  expect(careless.map(([file]) => file)).toEqual([]);
});
