import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ValidationError } from "../../constructs/container/validation";
import { laptop } from "../../environments/laptop";
import { adminPasswordFile } from "../../secrets/admin-password";
import { ensureSecrets, secretsFolder } from "../../secrets/platform-secrets";

const oidc = {
  clientId: "groundwork-grafana",
  authUrl: "https://id.example.org/authorize",
  tokenUrl: "https://id.example.org/token",
  apiUrl: "https://id.example.org/userinfo",
};
const environment = {
  ...laptop,
  name: "oidc-client-secret-test",
  grafana: { ...laptop.grafana, oidc },
};
const state = dirname(adminPasswordFile(environment));
const given = mkdtempSync(join(tmpdir(), "oidc-"));
afterEach(() => {
  delete process.env.GROUNDWORK_SECRETS;
  rmSync(state, { recursive: true, force: true });
});
afterAll(() => rmSync(given, { recursive: true }));

function write(content: string): string {
  const file = join(secretsFolder(environment), "grafana", "oidc-client-secret");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

describe("the client secret of grafana.oidc", () => {
  test("is missing until someone writes it", async () => {
    const file = join(state, "secrets", "grafana", "oidc-client-secret");
    await expect(ensureSecrets(environment)).rejects.toThrow(
      `${file} is missing, and environment "oidc-client-secret-test" has grafana.oidc: write the client secret there that the identity provider generated for "groundwork-grafana"`,
    );
    write("s3cret/+=\n");
    await ensureSecrets(environment);
  });

  test("is read from GROUNDWORK_SECRETS if that is set", async () => {
    process.env.GROUNDWORK_SECRETS = given;
    await expect(ensureSecrets(environment)).rejects.toThrow(
      `${join(given, "grafana", "oidc-client-secret")} is missing`,
    );
    write("secret");
    await ensureSecrets(environment);
  });

  test.each(["", "two\nlines\n", "with space\n"])(
    "is rejected as %j, without the secret in the message",
    async (content) => {
      write(content);
      await expect(ensureSecrets(environment)).rejects.toThrow(
        /oidc-client-secret must be one line of ASCII characters without spaces: write the client secret of the identity provider$/,
      );
    },
  );

  test("may end with CRLF, which Grafana ignores", async () => {
    write("s3cret/+=\r\n");
    await ensureSecrets(environment);
  });

  test("is rejected without a stack trace if its file cannot be read", async () => {
    const file = write("secret\n");
    rmSync(file);
    mkdirSync(file);
    await expect(ensureSecrets(environment)).rejects.toThrow(
      new ValidationError(`${file} is a folder: replace it with a file`),
    );
  });

  test("is rejected if other users can read it", async () => {
    const file = write("secret\n");
    chmodSync(file, 0o644);
    await expect(ensureSecrets(environment)).rejects.toThrow(
      `other users on this machine can read grafana/oidc-client-secret (mode 644) in ${join(dirname(file), "..")}`,
    );
  });

  test("is not needed without grafana.oidc or without Grafana", async () => {
    await ensureSecrets({ ...environment, grafana: laptop.grafana });
    await ensureSecrets({ ...environment, excludedServices: ["grafana"] });
  });
});
