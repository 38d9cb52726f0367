import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../support/root";
import { ALPINE_SHELL, pathOf } from "../../support/sidecar";

const GRAFANA = join(ROOT, "constructs/grafana");

/** Printable, and something to a shell, to a URL, to an INI file, to Grafana's expansion or to curl. */
const PASSWORDS = [
  "plain-password",
  "user@host/path:80?q=1#x y",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own expansion
  "${HOME}$__env{HOME}$__file{/etc/passwd}$HOME$(id)`id`",
  "%(admin_user)s%41%%",
  "\"'\\\\n;&|<>*?[]{}!~",
  "  spaces at both ends  ",
  "-n -e @file",
  "пароль🔑é",
];

/** Writes down what it was called with and what it read. */
const FAKE = `#!/bin/sh
here=$(dirname "$0")
printf '%s\\n' "$@" >"$here/arguments"
cat >"$here/input"
if [ -e "$here/fails" ]; then
  echo "it does not work"
  exit 1
fi
echo "as it answers"
`;

describe.each(ALPINE_SHELL)("in %s", (_, [command, ...args]) => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "grafana-"));
    for (const name of ["grafana", "curl"]) {
      mkdirSync(join(bin, name));
    }
    for (const name of ["grafana", "curl"]) {
      writeFileSync(join(bin, name, name), FAKE, { mode: 0o755 });
    }
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  const run = (script: string, password: string, ...operands: string[]) => {
    writeFileSync(join(bin, "password"), password);
    return spawnSync(command, [...args, join(GRAFANA, script), ...operands], {
      encoding: "utf8",
      env: {
        PATH: pathOf(command, join(bin, "grafana"), join(bin, "curl")),
        ADMIN_PASSWORD_FILE: join(bin, "password"),
        GF_PATHS_HOME: "/usr/share/grafana",
        GF_PATHS_CONFIG: "/etc/grafana/grafana.ini",
      },
    });
  };
  const got = (name: string, what: string) => readFileSync(join(bin, name, what), "utf8");

  test.each(PASSWORDS)("start.sh sets the password %j before it starts Grafana", (password) => {
    const { stdout, stderr, status } = run(
      ...(["start.sh", `${password}\n`, "sh", "-c", 'cat "$1/input"; exit 7', "sh"] as const),
      join(bin, "grafana"),
    );
    expect([stdout, stderr, status]).toEqual([`${password}\n`, "", 7]);
    expect(got("grafana", "arguments").trim().split("\n")).toEqual([
      ...["cli", "--homepath", "/usr/share/grafana", "--config", "/etc/grafana/grafana.ini"],
      ...["admin", "reset-admin-password", "--password-from-stdin"],
    ]);
  });

  test("start.sh logs that the password cannot be set, and starts Grafana anyway", () => {
    writeFileSync(join(bin, "grafana", "fails"), "");
    const { stdout, stderr } = run("start.sh", "secret\n", "echo", "started");
    expect(stdout).toBe("started\n");
    expect(stderr).toBe(
      'logger=start level=error msg="the password of the user admin stays what it was"\nit does not work\n',
    );
  });

  test.each(PASSWORDS)("ask.sh logs in with %j, without it in an argument", (password) => {
    for (const end of ["\n", ""]) {
      const { stdout, stderr, status } = run("ask.sh", `${password}${end}`, "/api/org");
      expect([stdout, stderr, status]).toEqual(["as it answers\n", "", 0]);
      const [, login] = /^Authorization: Basic (\S+)\n$/.exec(got("curl", "input")) ?? [];
      expect(Buffer.from(login, "base64").toString()).toBe(`admin:${password}`);
      expect(got("curl", "arguments").trim().split("\n")).toEqual([
        ...["--fail", "--silent", "--show-error", "--max-time", "10", "--header", "@-"],
        "http://127.0.0.1:3000/api/org",
      ]);
    }
  });

  test("ask.sh fails for a request that Grafana refuses", () => {
    writeFileSync(join(bin, "curl", "fails"), "");
    expect(run("ask.sh", "secret\n", "/api/org").status).toBe(1);
  });
});
