import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Environment } from "./environment";

/** Where the password of Grafana's user `admin` lies when the environment generates it; not tracked by git. */
export function adminPasswordFile({ name }: Environment): string {
  return join(__dirname, "..", ".state", name, "grafana-admin-password");
}

/** Makes the secrets that the environment generates, unless they are there. Terraform reads them; no synth output has them. */
export function ensureSecrets(environment: Environment): void {
  const file = adminPasswordFile(environment);
  const needed =
    environment.grafana.adminPassword === "generated" && !environment.without?.includes("grafana");
  if (needed && !existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${randomBytes(18).toString("base64url")}\n`, { mode: 0o600 });
  }
}
