import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { laptop } from "../../environments/laptop";
import { adminPasswordFile, missingSecrets } from "../../secrets/admin-password";
import { ensureSecrets } from "../../secrets/platform-secrets";

describe("the admin password's file", () => {
  const name = "test-of-secrets";
  const environment = { ...laptop, name };
  const file = adminPasswordFile(environment);
  const content = () => readFileSync(file, "utf8");
  afterEach(() => rmSync(join(file, ".."), { recursive: true, force: true }));

  test("is generated once, readable by its owner only", async () => {
    await ensureSecrets(environment, [], "");
    const password = content();
    expect(password).toMatch(/^[\w-]{24}\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
    await ensureSecrets(environment, [], "");
    expect(content()).toBe(password);
  });

  test("is closed if other users can read it, with one line", async () => {
    const error = jest.spyOn(console, "error").mockImplementation();
    await ensureSecrets(environment, [], "");
    chmodSync(file, 0o644);
    await ensureSecrets(environment, [], "");
    await ensureSecrets(environment, [], "");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(error.mock.calls).toEqual([
      [
        `closed grafana-admin-password (mode 644) in ${join(file, "..")}, which other users on this machine could read: rotate what they may have read`,
      ],
    ]);
    error.mockRestore();
  });

  test.each<[string, "generated" | "variable"]>([
    ["generates one", "generated"],
    ["requires the variable", "variable"],
  ])("has exactly the password that is given if the environment %s", async (_, adminPassword) => {
    const wanting = { ...environment, grafana: { adminPassword } };
    for (const password of [
      " @/: ",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own expansion
      "${x}$__env{HOME}%(admin_user)s",
      "\"'`\\#;&%",
      "пароль 🔑",
    ]) {
      await ensureSecrets(wanting, [], password);
      expect(content()).toBe(`${password}\n`);
    }
    await ensureSecrets(wanting, [], "");
    expect(content()).toBe("пароль 🔑\n");
  });

  test("is not generated if the environment requires the variable or excludes Grafana", async () => {
    await ensureSecrets({ ...environment, grafana: { adminPassword: "variable" } }, [], "");
    await ensureSecrets({ ...environment, excludedServices: ["grafana"] }, [], "a password");
    expect(existsSync(file)).toBe(false);
  });

  test.each([
    [
      "four",
      "Grafana admin password in TF_VAR_grafana_admin_password has 4 bytes: at least 5 are needed; choose a longer one",
    ],
    [
      "two\nlines",
      "Grafana admin password in TF_VAR_grafana_admin_password has an invalid character at position 4, such as a tab, a line break or a byte that is not UTF-8: use one line of printable characters",
    ],
  ])("is not written if Grafana would reject the password: %j", async (given, message) => {
    await expect(ensureSecrets(environment, [], given)).rejects.toThrow(message);
    expect(existsSync(file)).toBe(false);
  });

  test("loses the carriage return of an editor on Windows", async () => {
    await ensureSecrets(environment, [], "");
    writeFileSync(file, "secret\r\n");
    await ensureSecrets(environment, [], "");
    expect(readFileSync(file, "utf8")).toBe("secret\n");
  });

  test("is rejected if its content is not a password for Grafana", async () => {
    await ensureSecrets(environment, [], "");
    writeFileSync(file, "secret\r\n\r\n");
    await expect(ensureSecrets(environment, [], "")).rejects.toThrow(
      "Grafana admin password in .state/test-of-secrets/grafana-admin-password has an invalid character at position 7",
    );
  });
});

test("a required password that is not set is reported before Terraform runs", () => {
  const wanting = { ...laptop, name: "unit-wanting" };
  expect(missingSecrets({ ...wanting, grafana: { adminPassword: "variable" } })).toEqual([
    "Grafana admin password is not set: export TF_VAR_grafana_admin_password, or write it to .state/unit-wanting/grafana-admin-password (npx cdktf reads only that file)",
  ]);
  expect(missingSecrets({ ...wanting, excludedServices: ["grafana"] })).toEqual([]);
});
