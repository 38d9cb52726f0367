import { createHash, type X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { certificatesIn, readCertificate, SECRET_FILES, writeSecret } from "./secret-files";

/** Returns the name of the file with the CAs of a service's clients. */
export function clientCasFile(service: string): string {
  return `${service}-client-cas.pem`;
}

/**
 * Writes the CAs of a secrets folder, each limited to the host names in the clients' certificates (RFC 5280, name constraints). A service
 * that trusts only these CAs refuses all other clients. Writes nothing if the file is up to date.
 */
export async function writeClientCas(
  file: string,
  secrets: string,
  clients: readonly string[],
): Promise<void> {
  const bundle = readFileSync(join(secrets, SECRET_FILES.caBundle), "utf8");
  const certificates = clients.map((name) =>
    readCertificate(join(secrets, SECRET_FILES.keyPair(name))),
  );
  const hosts = [...new Set(certificates.flatMap(hostsOf))];
  const digest = createHash("sha256").update(`${bundle}${hosts.join()}`).digest("hex");
  // PEM allows text before the first certificate.
  const mark = `${digest} ${hosts.join(" ")}\n`;
  if (existsSync(file) && readFileSync(file, "utf8").startsWith(mark)) {
    return;
  }
  // Imported late: these libraries take 0.2 s to load.
  const { limitCa } = await import("./name-constraints");
  const cas = certificatesIn(bundle).map((certificate) => limitCa(certificate, hosts));
  writeSecret(dirname(file), basename(file), [mark, ...cas].join(""));
}

/** Returns the host names that a certificate is valid for. */
function hostsOf({ subjectAltName = "" }: X509Certificate): string[] {
  return subjectAltName.split(", ").flatMap((name) => /^DNS:(.+)$/.exec(name)?.[1] ?? []);
}
