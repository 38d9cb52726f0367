import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { validate } from "../constructs/container/validation";
import type { Environment } from "../environments";

/** By which the password of Grafana's user `admin` is given; Terraform knows it too. */
const GIVEN_BY = "TF_VAR_grafana_admin_password";

/** Grafana refuses to change a password to a shorter one. */
const SHORTEST_PASSWORD_BYTES = 5;

/** Where the password of Grafana's user `admin` lies, for this user's eyes only; not tracked by git. @internal */
export function adminPasswordFile({ name }: Environment): string {
  return join(__dirname, "..", ".state", name, "grafana-admin-password");
}

/**
 * Puts the password of Grafana's user `admin` where Terraform reads it: the one that is given, else a generated one unless one is there.
 * Fails when Grafana would not take the password.
 */
export function ensureAdminPassword(
  environment: Environment,
  given: string | undefined = process.env[GIVEN_BY],
): void {
  if (environment.excludedServices?.includes("grafana")) {
    return;
  }
  const file = adminPasswordFile(environment);
  const there = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  if (given) {
    validatePassword(given, GIVEN_BY);
    if (there !== `${given}\n`) {
      write(file, given);
    }
  } else if (there !== undefined) {
    validatePassword(
      there.replace(/\n$/, ""),
      `the file .state/${environment.name}/grafana-admin-password`,
    );
  } else if (environment.grafana.adminPassword === "generated") {
    write(file, randomBytes(18).toString("base64url"));
  }
}

/** What Terraform would not find, each with the way to give it. */
export function missingSecrets(environment: Environment): string[] {
  const missing =
    !environment.excludedServices?.includes("grafana") &&
    !existsSync(adminPasswordFile(environment));
  return missing
    ? [
        `the password of Grafana's user admin is not given: export ${GIVEN_BY}, or write it into .state/${environment.name}/grafana-admin-password, as npx cdktf needs it, which hides such variables from the app`,
      ]
    : [];
}

function write(file: string, password: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
}

/** The messages say nothing of the password itself. */
function validatePassword(password: string, where: string): void {
  const bytes = Buffer.byteLength(password);
  validate(
    bytes >= SHORTEST_PASSWORD_BYTES,
    () =>
      `${where} has ${bytes} bytes: the password of Grafana's user admin needs at least ${SHORTEST_PASSWORD_BYTES}; choose a longer one`,
  );
  // U+FFFD is what is read where the bytes are no UTF-8.
  const place = password.search(/[\p{Cc}\u2028\u2029\uFFFD]/u);
  validate(
    place === -1,
    () =>
      `${where} has at place ${place + 1} what nobody can type, such as a tab, a line break or a byte that is no UTF-8: the password of Grafana's user admin is one line of printable characters; remove it`,
  );
}
