import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readTextFile } from "../constructs/container/text-file";
import { validate } from "../constructs/container/validation";
import type { Environment } from "../environments";
import { closeFiles } from "./modes";
import { placeOfUnprintable, withoutLineBreak } from "./password";
import { makePrivate } from "./secret-files";

/** Variable with the password of Grafana's user `admin`. Terraform reads it too. */
const GIVEN_BY = "TF_VAR_grafana_admin_password";

/** Grafana rejects a shorter password when it changes one. */
const SHORTEST_PASSWORD_BYTES = 5;

/** Returns the file with the password of Grafana's user `admin`. Only its owner can read it, and git ignores it. @internal */
export function adminPasswordFile({ name }: Environment): string {
  return join(__dirname, "..", ".state", name, "grafana-admin-password");
}

/**
 * Writes the password of Grafana's user `admin` to the file that Terraform reads: the given one, or a generated one if the file does not
 * exist. Closes an existing file to other users. Throws if Grafana would reject the password.
 */
export function ensureAdminPassword(
  environment: Environment,
  given: string | undefined = process.env[GIVEN_BY],
): void {
  if (environment.excludedServices?.includes("grafana")) {
    return;
  }
  const file = adminPasswordFile(environment);
  closeFiles(dirname(file), [basename(file)]);
  const there = existsSync(file) ? readTextFile(file) : undefined;
  if (given) {
    validatePassword(given, GIVEN_BY);
    if (there !== `${given}\n`) {
      write(file, given);
    }
  } else if (there !== undefined) {
    const password = withoutLineBreak(there);
    validatePassword(password, `.state/${environment.name}/grafana-admin-password`);
    if (there.endsWith("\r\n")) {
      write(file, password);
    }
  } else if (environment.grafana.adminPassword === "generated") {
    write(file, randomBytes(18).toString("base64url"));
  }
}

/** Whether `ensureAdminPassword` would generate a password. */
export function isAdminPasswordPending(environment: Environment): boolean {
  const isGenerated = environment.grafana.adminPassword === "generated" && !process.env[GIVEN_BY];
  return isGenerated && isMissing(environment);
}

function isMissing(environment: Environment): boolean {
  return (
    !environment.excludedServices?.includes("grafana") &&
    !existsSync(adminPasswordFile(environment))
  );
}

/** Returns a message for each secret that Terraform needs and does not have, with the way to set it. */
export function missingSecrets(environment: Environment): string[] {
  return isMissing(environment)
    ? [
        `Grafana admin password is not set: export ${GIVEN_BY}, or write it to .state/${environment.name}/grafana-admin-password (npx cdktf reads only that file)`,
      ]
    : [];
}

function write(file: string, password: string): void {
  makePrivate(dirname(file));
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
}

/** The messages do not contain the password. */
function validatePassword(password: string, where: string): void {
  const bytes = Buffer.byteLength(password);
  validate(
    bytes >= SHORTEST_PASSWORD_BYTES,
    () =>
      `Grafana admin password in ${where} has ${bytes === 1 ? "1 byte" : `${bytes} bytes`}: at least ${SHORTEST_PASSWORD_BYTES} are needed; choose a longer one`,
  );
  const place = placeOfUnprintable(password);
  validate(
    place === undefined,
    () =>
      `Grafana admin password in ${where} has an invalid character at position ${place}, such as a tab, a line break or a byte that is not UTF-8: use one line of printable characters`,
  );
}
