import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
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
printf '%s\\n' "\${GF_SECURITY_SECRET_KEY-}" "\${GF_SECRETS_MANAGER_ENCRYPTION_SECRET_KEY_V1_SECRET_KEY-}" >"$here/keys"
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
    for (const name of ["grafana", "curl", "data"]) {
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
        GF_PATHS_DATA: join(bin, "data"),
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

  const PRINT_KEYS = [
    ...["sh", "-c"],
    'echo "$GF_SECURITY_SECRET_KEY" "$GF_SECRETS_MANAGER_ENCRYPTION_SECRET_KEY_V1_SECRET_KEY"',
  ];
  const keyFile = () => join(bin, "data", "secret-key");

  test("start.sh creates a secret key before the database, and keeps it", () => {
    const { stdout } = run("start.sh", "secret\n", ...PRINT_KEYS);
    const setting = `$__file{${keyFile()}}`;
    expect(stdout).toBe(`${setting} ${setting}\n`);
    // Grafana's command that sets the password may create the database.
    expect(got("grafana", "keys")).toBe(`${setting}\n${setting}\n`);
    const key = readFileSync(keyFile(), "utf8");
    expect(Buffer.from(key, "base64")).toHaveLength(32);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    writeFileSync(join(bin, "data", "grafana.db"), "");
    expect(run("start.sh", "secret\n", ...PRINT_KEYS)).toMatchObject({ stdout, stderr: "" });
    expect(readFileSync(keyFile(), "utf8")).toBe(key);
  });

  test("start.sh creates another key for another volume", () => {
    run("start.sh", "secret\n", "true");
    const key = readFileSync(keyFile(), "utf8");
    rmSync(keyFile());
    run("start.sh", "secret\n", "true");
    expect(readFileSync(keyFile(), "utf8")).not.toBe(key);
  });

  test("start.sh leaves a database of before to Grafana's default key, and warns", () => {
    writeFileSync(join(bin, "data", "grafana.db"), "");
    const { stdout, stderr, status } = run("start.sh", "secret\n", "sh", "-c", "env");
    expect(stdout).not.toContain("SECRET_KEY");
    expect(stderr).toBe(
      'logger=start level=warn msg="secrets in the database are encrypted with the default key, which is public: see docs/how-to/secrets.md"\n',
    );
    expect(status).toBe(0);
    expect(existsSync(keyFile())).toBe(false);
    expect(got("grafana", "keys")).toBe("\n\n");
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
