import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isSecured } from "../../environments";
import { secretsFolder } from "../../secrets/platform-secrets";
import { certificatesIn, SECRET_FILES } from "../../secrets/secret-files";
import type { Platform } from "../platform/platform";
import { listed } from "../terminal/terminal";

/** Why the nodes of a secured platform that runs would refuse those that are to be deployed: no CA is trusted by both. */
export async function describeForeignCa({ environment, kafka }: Platform): Promise<string[]> {
  if (!isSecured(environment)) {
    return [];
  }
  const running = caCertificatesIn(await kafka.caBundle());
  const folder = secretsFolder(environment);
  const own = caCertificatesIn(readFileSync(join(folder, SECRET_FILES.caBundle), "utf8"));
  if (
    running.length === 0 ||
    own.some(({ raw }) => running.some((other) => other.raw.equals(raw)))
  ) {
    return [];
  }
  const names = (caBundle: readonly X509Certificate[]) =>
    listed(caBundle.map(({ subject }) => `"${subject}"`));
  return [
    `environment "${environment.name}" runs and trusts ${names(running)}, and ${folder} has ${names(own)}, which it would refuse: take the secrets from where it was deployed with, or name their folder in GROUNDWORK_SECRETS; where they are lost, npm run down keeps the data, and npm run up begins with new ones`,
  ];
}

function caCertificatesIn(pem: string): X509Certificate[] {
  return certificatesIn(pem).map((block) => new X509Certificate(block));
}
