import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { isIP } from "node:net";
import { dirname, join } from "node:path";
import { ValidationError, validate } from "../constructs/container/validation";

/** A certificate is renewed when this much of its life is over. */
const LIFE_BEFORE_RENEWAL = 2 / 3;

/** OpenSearch's own tool takes as many (https://docs.opensearch.org/latest/security/access-control/users-roles/). */
const BCRYPT_ROUNDS = 12;

/** The files of secrets, below their folder. */
export const SECRET_FILES = {
  /** What new certificates are signed with: private key and certificate. */
  ca: "ca/ca.pem",
  /** What is trusted: the certificate of one CA, and of two during a rotation. */
  caBundle: "ca/bundle.pem",
  /** Takes the CA's place as soon as everything trusts it. */
  nextCa: "ca/next.pem",
  /** The step at which a rotation of the CA stands, 1 to 3; it is not there when none is under way. */
  caRotationStep: "ca/step",
  /** Private key and certificate. */
  keyPair: (principal: string) => `key-pairs/${principal}.pem`,
  password: (application: string) => `applications/${application}.password`,
  passwordHash: (application: string) => `applications/${application}.bcrypt`,
} as const;

/** What a folder of secrets has to hold. */
export interface WantedSecrets {
  /** In the subject of the CA. */
  readonly owner: string;

  /** Host names and addresses by the name of who has a certificate for them. */
  readonly principals: ReadonlyMap<string, readonly string[]>;

  /** Names of those that have a password. */
  readonly applications: readonly string[];
}

/** Writes one of them for this user's eyes only, whole or not at all. */
export function writeSecret(folder: string, file: string, content: string): void {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/**
 * Makes what is missing in a folder of secrets, for this user's eyes only, and certificates anew that should not be used any more. Fails
 * when one cannot work.
 */
export async function ensureSecretFiles(folder: string, wanted: WantedSecrets): Promise<void> {
  const missing = missingFiles(folder, wanted);
  // As long as they are good, certificates are not missed where the CA's key is elsewhere.
  const outdated = existsSync(join(folder, SECRET_FILES.ca)) ? outdatedFiles(folder, wanted) : [];
  if (missing.length > 0 || outdated.length > 0) {
    checkCa(folder);
    for (const file of outdated) {
      rmSync(join(folder, file));
    }
    await makeSecretFiles(folder, wanted);
  }
  checkSecretFiles(folder, wanted);
}

/** Makes what is missing in a folder of secrets. */
export async function makeSecretFiles(
  folder: string,
  { owner, principals, applications }: WantedSecrets,
): Promise<void> {
  // Here, since seldom is anything missing, and these libraries take a fifth of a second to load.
  const { makeCa, makeKeyPair } = await import("./certificates");
  const { hash } = await import("bcryptjs");
  const missing = (file: string) => !existsSync(join(folder, file));
  const read = (file: string) => readFileSync(join(folder, file), "utf8");
  const write = (file: string, content: string) => writeSecret(folder, file, content);

  const { ca, caBundle, keyPair, password, passwordHash } = SECRET_FILES;
  if (missing(ca)) {
    write(ca, await makeCa(owner));
    write(caBundle, certificatesIn(read(ca)).join(""));
  }
  for (const [name, hosts] of principals) {
    if (missing(keyPair(name))) {
      write(keyPair(name), await makeKeyPair(read(ca), name, hosts));
    }
  }
  for (const name of applications) {
    if (missing(password(name))) {
      write(password(name), `${randomBytes(24).toString("base64url")}\n`);
    }
    if (missing(passwordHash(name))) {
      write(passwordHash(name), `${await hash(read(password(name)).trim(), BCRYPT_ROUNDS)}\n`);
    }
  }
}

/** A new CA in place of one whose key is elsewhere would have everything refused that the old one has signed. */
function checkCa(folder: string): void {
  const { ca, caBundle } = SECRET_FILES;
  const missing = [ca, caBundle].filter((file) => !existsSync(join(folder, file)));
  validate(
    missing.length !== 1,
    () =>
      `${missing[0]} is missing in ${folder}, so that no certificate can be made there: put it back, or remove the whole folder to have all made anew`,
  );
}

/** Paths below the folder. */
export function missingFiles(
  folder: string,
  { principals, applications }: WantedSecrets,
): string[] {
  const { caBundle, keyPair, password, passwordHash } = SECRET_FILES;
  return [
    caBundle,
    ...[...principals.keys()].map(keyPair),
    ...applications.flatMap((name) => [password(name), passwordHash(name)]),
  ].filter((file) => !existsSync(join(folder, file)));
}

/**
 * Paths below the folder: certificates that are not of the CA, that do not name every host, or of which two thirds of their life
 * are over, and hashes that are older than their passwords.
 */
function outdatedFiles(folder: string, { principals, applications }: WantedSecrets): string[] {
  const { ca, keyPair, password, passwordHash } = SECRET_FILES;
  const { publicKey } = readCertificate(join(folder, ca));
  const isThere = (file: string) => existsSync(join(folder, file));
  const changedAt = (file: string) => statSync(join(folder, file)).mtimeMs;
  return [
    ...[...principals]
      .filter(([name]) => isThere(keyPair(name)))
      .filter(([name, hosts]) => {
        const certificate = readCertificate(join(folder, keyPair(name)));
        return (
          !certificate.verify(publicKey) ||
          unnamedHosts(certificate, hosts).length > 0 ||
          isDue(certificate)
        );
      })
      .map(([name]) => keyPair(name)),
    ...applications
      .filter((name) => isThere(password(name)) && isThere(passwordHash(name)))
      .filter((name) => changedAt(password(name)) > changedAt(passwordHash(name)))
      .map(passwordHash),
  ];
}

function isDue({ validFrom, validTo }: X509Certificate): boolean {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return Date.now() > from + LIFE_BEFORE_RENEWAL * (to - from);
}

function unnamedHosts(certificate: X509Certificate, hosts: readonly string[]): string[] {
  return hosts.filter(
    (host) => !(isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)),
  );
}

/** Every certificate is valid today, of a trusted CA and has its key, and no key is anybody else's to read. */
export function checkSecretFiles(folder: string, { principals }: WantedSecrets): void {
  const trusted = readCaBundle(join(folder, SECRET_FILES.caBundle));
  for (const [name, hosts] of principals) {
    const file = join(folder, SECRET_FILES.keyPair(name));
    const certificate = readCertificate(file);
    checkValidity(certificate, file);
    validate(
      trusted.some((ca) => certificate.verify(ca.publicKey)),
      () =>
        `${file} is of none of the CAs in ${SECRET_FILES.caBundle}: give the certificate that one of them has signed, or add its CA there`,
    );
    validate(
      certificate.subject === `CN=${name}`,
      () =>
        `${file} is the certificate of "${certificate.subject}": it has to be CN=${name} and nothing more, by which the services know who is there`,
    );
    const unnamed = unnamedHosts(certificate, hosts);
    validate(
      unnamed.length === 0,
      () =>
        `${file} does not name ${unnamed.join(", ")}: its subject alternative names have to be ${hosts.join(", ")}`,
    );
    checkKey(certificate, file);
  }
}

function checkValidity(certificate: X509Certificate, file: string): void {
  const [from, to] = [certificate.validFrom, certificate.validTo].map((date) => new Date(date));
  const now = new Date();
  validate(
    now >= from,
    () =>
      `${file} is not valid before ${from.toISOString()}, and this machine's clock says ${now.toISOString()}: set the clock, or give a certificate that is valid today`,
  );
  validate(
    now <= to,
    () => `${file} has expired on ${to.toISOString()}: give one that is valid today`,
  );
}

function checkKey(certificate: X509Certificate, file: string): void {
  const mode = statSync(file).mode & 0o777;
  validate(
    (mode & 0o077) === 0,
    () =>
      `${file} has mode ${mode.toString(8)}, so that others on this machine can read it: chmod 600 ${file}`,
  );
  validate(
    fits(certificate, readFileSync(file, "utf8")),
    () =>
      `${file} has no private key that fits its certificate: give both in this file, the key as PKCS8 without a password, PEM`,
  );
}

function fits(certificate: X509Certificate, pem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false;
  }
}

export function readCertificate(file: string): X509Certificate {
  const pem = readFileSync(file, "utf8");
  try {
    return new X509Certificate(pem);
  } catch {
    throw new ValidationError(`${file} has no certificate: it has to have one, as PEM`);
  }
}

/** The certificates of a CA bundle: one or, during a rotation, two. */
export function readCaBundle(file: string): X509Certificate[] {
  const blocks = certificatesIn(readFileSync(file, "utf8"));
  validate(
    blocks.length > 0,
    () => `${file} has no certificate: it has to have one at least, as PEM`,
  );
  return blocks.map((block) => {
    const ca = new X509Certificate(block);
    checkValidity(ca, file);
    return ca;
  });
}

/** Without the keys that are beside them. */
export function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}
