import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
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

  test("is made once, for this user's eyes only", async () => {
    await ensureSecrets(environment, [], "");
    const password = content();
    expect(password).toMatch(/^[\w-]{24}\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await ensureSecrets(environment, [], "");
    expect(content()).toBe(password);
  });

  test.each<[string, "generated" | "variable"]>([
    ["generates one", "generated"],
    ["wants it given", "variable"],
  ])(
    "has the password that is given, to the character, where the environment %s",
    async (_, adminPassword) => {
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
    },
  );

  test("is not made where a variable has it, or no Grafana is", async () => {
    await ensureSecrets({ ...environment, grafana: { adminPassword: "variable" } }, [], "");
    await ensureSecrets({ ...environment, excludedServices: ["grafana"] }, [], "a password");
    expect(existsSync(file)).toBe(false);
  });

  test.each([
    [
      "four",
      "TF_VAR_grafana_admin_password has 4 bytes: the password of Grafana's user admin needs at least 5; choose a longer one",
    ],
    [
      "two\nlines",
      "TF_VAR_grafana_admin_password has at place 4 what nobody can type, such as a tab, a line break or a byte that is no UTF-8: the password of Grafana's user admin is one line of printable characters; remove it",
    ],
  ])("is not made of what Grafana would not take: %j", async (given, message) => {
    await expect(ensureSecrets(environment, [], given)).rejects.toThrow(message);
    expect(existsSync(file)).toBe(false);
  });

  test("is refused when somebody wrote into it what Grafana would not take", async () => {
    await ensureSecrets(environment, [], "");
    writeFileSync(file, "secret\r\n");
    await expect(ensureSecrets(environment, [], "")).rejects.toThrow(
      "the file .state/test-of-secrets/grafana-admin-password has at place 7 what nobody can type",
    );
  });
});

test("a password that is to be given and is not is missed before Terraform looks for it", () => {
  const wanting = { ...laptop, name: "unit-wanting" };
  expect(missingSecrets({ ...wanting, grafana: { adminPassword: "variable" } })).toEqual([
    "the password of Grafana's user admin is not given: export TF_VAR_grafana_admin_password, or write it into .state/unit-wanting/grafana-admin-password, as npx cdktf needs it, which hides such variables from the app",
  ]);
  expect(missingSecrets({ ...wanting, excludedServices: ["grafana"] })).toEqual([]);
});
