import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { isSecured } from "../../environments";
import { secretsFolder } from "../../secrets/platform-secrets";
import { certificatesIn, readCaBundle, SECRET_FILES } from "../../secrets/secret-files";
import type { Platform } from "../platform/platform";
import { listed } from "../terminal/terminal";

/** Describes why running nodes would refuse the new ones: they share no CA. Returns nothing if they do. */
export async function describeForeignCa({ environment, kafka }: Platform): Promise<string[]> {
  if (!isSecured(environment)) {
    return [];
  }
  const running = caCertificatesIn(await kafka.caBundle());
  const folder = secretsFolder(environment);
  const own = readCaBundle(join(folder, SECRET_FILES.caBundle));
  if (
    running.length === 0 ||
    own.some(({ raw }) => running.some((other) => other.raw.equals(raw)))
  ) {
    return [];
  }
  const names = (caBundle: readonly X509Certificate[]) =>
    listed(caBundle.map(({ subject }) => `"${subject}"`));
  return [
    `the running nodes of environment "${environment.name}" trust ${names(running)}, but ${folder} has ${names(own)}, which they refuse: copy the secrets from the clone that deployed it, or set GROUNDWORK_SECRETS to their folder. If they are lost, run npm run down, which keeps the data, then npm run up, which starts with new ones`,
  ];
}

function caCertificatesIn(pem: string): X509Certificate[] {
  return certificatesIn(pem).map((block) => new X509Certificate(block));
}
