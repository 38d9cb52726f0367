import { createHash, randomBytes, type X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { dirname, join } from "node:path";
import { readTextFile } from "../constructs/container/text-file";
import { all, validate } from "../constructs/container/validation";
import { closeSecrets, refuseOpenFiles } from "./modes";
import { readPassword } from "./password";
import {
  checkIsCa,
  checkKeyPair,
  type PlacedCertificate,
  readCertificates,
  readChain,
  readSigningCa,
  withPkcs8Key,
} from "./pem";

/** Part of a certificate's lifetime after which it is renewed. */
const LIFE_BEFORE_RENEWAL = 2 / 3;

/** The number that OpenSearch's own tool uses (https://docs.opensearch.org/latest/security/access-control/users-roles/). */
const BCRYPT_ROUNDS = 12;

/** A file with what OpenSearch takes for a bcrypt hash. */
const BCRYPT_HASH = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}\n?$/;

/** Paths of secrets, relative to their folder. */
export const SECRET_FILES = {
  /** The CA that signs new certificates: private key and certificate. */
  ca: "ca/ca.pem",
  /** Trusted CA certificates: one, or two during a rotation. */
  caBundle: "ca/bundle.pem",
  /** The CA that replaces the current one once everything trusts it. */
  nextCa: "ca/next.pem",
  /** The current step of a CA rotation, 1 to 3. Does not exist if none is in progress. */
  caRotationStep: "ca/step",
  /** Private key and certificate. */
  keyPair: (principal: string) => `key-pairs/${principal}.pem`,
  password: (application: string) => `applications/${application}.password`,
  passwordHash: (application: string) => `applications/${application}.bcrypt`,
  /** Private key and certificate of an application that authenticates with them. */
  applicationKeyPair: (application: string) => `applications/${application}.pem`,
  /** Digest of a password and its hash, once they were compared. Comparing them takes 0.3 s. */
  checkedHash: (application: string) => `applications/${application}.checked`,
  /** The secret with which Grafana authenticates to the identity provider, which generates it. */
  oidcClientSecret: "grafana/oidc-client-secret",
  /** The generations of the secrets, newest first: number and digest of each. */
  generation: "generation",
  /** The secret that another one replaces. It is kept until that one is deployed. */
  replaced: (file: string) => `${file}.replaced`,
} as const;

/** What a secrets folder must contain. */
export interface WantedSecrets {
  /** Name in the subject of the CA. */
  readonly owner: string;

  /** Host names and addresses of each certificate, by its common name. */
  readonly principals: ReadonlyMap<string, readonly string[]>;

  /** Names of the applications that have a password. */
  readonly passwordApplications: readonly string[];

  /** Names of the applications that have a certificate. */
  readonly certificateApplications: readonly string[];
}

/** A key pair that a secrets folder must contain. */
interface WantedKeyPair {
  /** The common name of its certificate. */
  readonly name: string;
  readonly file: string;
  /** Host names and addresses of its certificate. */
  readonly hosts: readonly string[];
  readonly isOfApplication: boolean;
}

function keyPairsOf({ principals, certificateApplications }: WantedSecrets): WantedKeyPair[] {
  const { keyPair, applicationKeyPair } = SECRET_FILES;
  return [
    ...[...principals].map(([name, hosts]) => ({
      ...{ name, file: keyPair(name), hosts, isOfApplication: false },
    })),
    ...certificateApplications.map((name) => ({
      ...{ name, file: applicationKeyPair(name), hosts: [name], isOfApplication: true },
    })),
  ];
}

/** Creates a folder that only its owner can read, and closes one that exists to everyone else. */
export function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
}

/** Writes a secret atomically, readable by its owner only. */
export function writeSecret(folder: string, file: string, content: string): void {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/**
 * Generates missing files in a secrets folder, readable by their owner only, and renews outdated certificates. Closes existing files to
 * other users. Throws if a secret is not usable.
 */
export async function ensureSecretFiles(folder: string, wanted: WantedSecrets): Promise<void> {
  closeSecrets(folder, (file) => file === SECRET_FILES.caBundle);
  const missing = missingFiles(folder, wanted);
  const outdated = outdatedCertificates(folder, wanted);
  if (missing.length > 0 || outdated.length > 0) {
    checkCa(folder);
    await makeSecretFiles(folder, wanted, outdated);
  }
  convertKeys(folder, wanted);
  for (const name of uncheckedHashes(folder, wanted)) {
    if (await hashFits(folder, name)) {
      writeSecret(folder, SECRET_FILES.checkedHash(name), digestOf(folder, name));
    } else {
      await writeHash(folder, name);
    }
  }
  checkSecretFiles(folder, wanted);
}

/** Converts the keys that somebody put into the folder in another form than Kafka reads. */
function convertKeys(folder: string, wanted: WantedSecrets): void {
  for (const { file } of keyPairsOf(wanted)) {
    const converted = withPkcs8Key(join(folder, file));
    if (converted !== undefined) {
      writeSecret(folder, file, converted);
    }
  }
}

/** Generates missing files in a secrets folder, and new key pairs for the outdated certificates, by their common names. */
export async function makeSecretFiles(
  folder: string,
  wanted: WantedSecrets,
  outdated: readonly string[] = [],
): Promise<void> {
  // Imported late: files are rarely missing, and this library takes 0.2 s to load.
  const { makeCa } = await import("./certificates");
  const missing = (file: string) => !existsSync(join(folder, file));
  const write = (file: string, content: string) => writeSecret(folder, file, content);

  const { ca, caBundle, password, passwordHash } = SECRET_FILES;
  if (missing(ca)) {
    write(ca, await makeCa(wanted.owner));
    write(caBundle, readSigningCa(join(folder, ca)).certificate.toString());
  }
  for (const keyPair of keyPairsOf(wanted)) {
    const isOutdated = outdated.includes(keyPair.name);
    if (isOutdated && keyPair.isOfApplication) {
      sayRenewed(folder, keyPair);
    }
    if (isOutdated || missing(keyPair.file)) {
      write(keyPair.file, await signKeyPair(folder, keyPair));
    }
  }
  for (const name of wanted.passwordApplications) {
    if (missing(password(name))) {
      write(password(name), makePassword());
    }
    if (missing(passwordHash(name))) {
      await writeHash(folder, name);
    }
  }
}

/** Returns a new key pair. An application's is for clients only: nobody may take it for a server. */
async function signKeyPair(folder: string, keyPair: WantedKeyPair): Promise<string> {
  // Imported late: key pairs are rarely made, and this library takes 0.2 s to load.
  const { makeKeyPair } = await import("./certificates");
  const { name, hosts, isOfApplication } = keyPair;
  const { pem } = readSigningCa(join(folder, signingCaOf(folder, keyPair)));
  return makeKeyPair(pem, name, hosts, { clientOnly: isOfApplication });
}

/** Prints that somebody has to give an application its new certificate, and until when the old one is accepted: no deploy does. */
function sayRenewed(folder: string, keyPair: WantedKeyPair): void {
  const { name, file } = keyPair;
  const old = readCertificate(join(folder, file));
  const ca = readSigningCa(join(folder, signingCaOf(folder, keyPair))).certificate;
  const until = old.verify(ca.publicKey)
    ? `expires on ${new Date(old.validTo).toISOString()}`
    : "is refused as soon as the servers do not trust its CA any more";
  console.error(
    `renewed the certificate of application ${name}: give it the new one (npm run credentials -- ${name}); the old one ${until}`,
  );
}

/** Returns what makes a new key pair, by the file of each. */
export function newKeyPairs(
  folder: string,
  wanted: WantedSecrets,
): ReadonlyMap<string, () => Promise<string>> {
  return new Map(
    keyPairsOf(wanted).map((keyPair) => [keyPair.file, () => signKeyPair(folder, keyPair)]),
  );
}

/**
 * Returns the file of the CA that signs a certificate. During a CA rotation, applications get certificates of the next CA as soon as
 * everything trusts it: they need them before nothing trusts the old one.
 */
function signingCaOf(folder: string, { isOfApplication }: WantedKeyPair): string {
  const { ca, nextCa, caRotationStep } = SECRET_FILES;
  const isThere = [nextCa, caRotationStep].every((file) => existsSync(join(folder, file)));
  const isTrusted = isThere && readTextFile(join(folder, caRotationStep)).trim() === "2";
  return isOfApplication && isTrusted ? nextCa : ca;
}

/** Returns a new password: 24 random bytes. */
export function makePassword(): string {
  return `${randomBytes(24).toString("base64url")}\n`;
}

async function writeHash(folder: string, application: string): Promise<void> {
  const { hash } = await import("bcryptjs");
  const { password, passwordHash, checkedHash } = SECRET_FILES;
  const content = readPassword(join(folder, password(application)));
  writeSecret(folder, passwordHash(application), `${await hash(content, BCRYPT_ROUNDS)}\n`);
  writeSecret(folder, checkedHash(application), digestOf(folder, application));
}

/** Returns whether the hash is that of the password. Otherwise OpenSearch would keep accepting an earlier password. */
async function hashFits(folder: string, application: string): Promise<boolean> {
  const { compare } = await import("bcryptjs");
  const password = readPassword(join(folder, SECRET_FILES.password(application)));
  const hash = readTextFile(join(folder, SECRET_FILES.passwordHash(application)));
  return BCRYPT_HASH.test(hash) && compare(password, hash.trimEnd());
}

/** Returns the applications whose password or hash has changed since they were compared. */
function uncheckedHashes(folder: string, { passwordApplications }: WantedSecrets): string[] {
  return passwordApplications.filter((name) => {
    const checked = join(folder, SECRET_FILES.checkedHash(name));
    return !existsSync(checked) || readFileSync(checked, "utf8") !== digestOf(folder, name);
  });
}

/** Throws if the hash of an application is not that of its password. */
export async function checkPasswordHashes(folder: string, wanted: WantedSecrets): Promise<void> {
  for (const name of uncheckedHashes(folder, wanted)) {
    const [password, hash] = [SECRET_FILES.password(name), SECRET_FILES.passwordHash(name)];
    validate(
      await hashFits(folder, name),
      () =>
        `${join(folder, hash)} is not the bcrypt hash of ${password}, so OpenSearch would accept another password: write the hash of that password, such as htpasswd -nbBC ${BCRYPT_ROUNDS} "" <password> prints after the colon`,
    );
  }
}

function digestOf(folder: string, application: string): string {
  const digest = createHash("sha256");
  const { password, passwordHash } = SECRET_FILES;
  digest.update(`${readPassword(join(folder, password(application)))}\n`);
  digest.update(readTextFile(join(folder, passwordHash(application))));
  return `${digest.digest("hex")}\n`;
}

/** Throws if only part of the CA exists: a new CA would invalidate every certificate that the old one signed. */
export function checkCa(folder: string): void {
  const { ca, caBundle } = SECRET_FILES;
  const missing = [ca, caBundle].filter((file) => !existsSync(join(folder, file)));
  validate(
    missing.length !== 1,
    () =>
      `${join(folder, missing[0])} is missing: certificates cannot be generated without it; put it back, or remove ${folder} to generate all secrets again`,
  );
}

/** Throws if other users can read a secret of the folder. */
export function checkModes(folder: string, wanted: WantedSecrets): void {
  const { ca, nextCa, password, passwordHash } = SECRET_FILES;
  refuseOpenFiles(folder, [
    ...[ca, nextCa],
    ...keyPairsOf(wanted).map(({ file }) => file),
    ...wanted.passwordApplications.flatMap((name) => [password(name), passwordHash(name)]),
  ]);
}

/** Returns the missing files, relative to the folder. */
export function missingFiles(folder: string, wanted: WantedSecrets): string[] {
  const { caBundle, password, passwordHash } = SECRET_FILES;
  return [
    caBundle,
    ...keyPairsOf(wanted).map(({ file }) => file),
    ...wanted.passwordApplications.flatMap((name) => [password(name), passwordHash(name)]),
  ].filter((file) => !existsSync(join(folder, file)));
}

/**
 * Returns the common names of outdated certificates: those that the CA did not sign, that lack a host name, or that are past two thirds of
 * their lifetime. Returns none without the CA's key, since nothing can be renewed then: they stay until they expire.
 */
export function outdatedCertificates(folder: string, wanted: WantedSecrets): string[] {
  if (!existsSync(join(folder, SECRET_FILES.ca))) {
    return [];
  }
  return keyPairsOf(wanted)
    .filter(({ file }) => existsSync(join(folder, file)))
    .filter((keyPair) => {
      const certificate = readCertificate(join(folder, keyPair.file));
      const ca = readSigningCa(join(folder, signingCaOf(folder, keyPair))).certificate;
      return (
        !certificate.verify(ca.publicKey) ||
        unnamedHosts(certificate, keyPair.hosts).length > 0 ||
        isDue(certificate)
      );
    })
    .map(({ name }) => name);
}

/**
 * Renews the outdated certificates of a secrets folder and nothing else. Keeps each old key pair beside the new one, until that is deployed.
 * Returns their common names; none without the CA's key.
 */
export async function renewKeyPairs(folder: string, wanted: WantedSecrets): Promise<string[]> {
  const outdated = outdatedCertificates(folder, wanted);
  if (outdated.length > 0) {
    for (const { file } of keyPairsOf(wanted).filter(({ name }) => outdated.includes(name))) {
      keepReplaced(folder, file);
    }
    await makeSecretFiles(folder, { ...wanted, passwordApplications: [] }, outdated);
  }
  return outdated;
}

/** Keeps a secret that another one is to replace, unless an earlier command did: only that one is deployed. */
export function keepReplaced(folder: string, file: string): void {
  const old = SECRET_FILES.replaced(file);
  if (!existsSync(join(folder, old))) {
    writeSecret(folder, old, readFileSync(join(folder, file), "utf8"));
  }
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

/** Throws unless every certificate is currently valid, is signed by a trusted CA and has its key. */
export function checkSecretFiles(folder: string, wanted: WantedSecrets): void {
  const trusted = readCaBundle(join(folder, SECRET_FILES.caBundle));
  for (const { name, hosts, isOfApplication, ...keyPair } of keyPairsOf(wanted)) {
    const file = join(folder, keyPair.file);
    const chain = readChain(file);
    const [{ certificate }] = chain;
    all(...chain.map((placed) => () => checkValidity(placed, file)));
    validate(
      trusted.some((ca) => certificate.verify(ca.publicKey)),
      () =>
        `${file} is not signed by a CA in ${SECRET_FILES.caBundle}: replace the certificate with one that such a CA signed, or add its CA to the bundle`,
    );
    validate(
      certificate.subject === `CN=${name}`,
      () =>
        `${file} has the subject "${certificate.subject}": it must be exactly CN=${name}, since services identify each other by it`,
    );
    const unnamed = unnamedHosts(certificate, hosts);
    validate(
      unnamed.length === 0,
      () =>
        `${file} is not valid for ${unnamed.join(", ")}: its subject alternative names must be ${hosts.join(", ")}`,
    );
    if (isOfApplication) {
      checkNames(certificate, file, name, wanted.principals);
    }
    checkUse(certificate, file, { isClient: hosts.length === 1 && hosts[0] === name });
    checkKeyPair(file);
  }
}

/** Throws if an application's certificate has the name of a service: Prometheus knows its clients by their alternative names. */
function checkNames(
  { subjectAltName = "" }: X509Certificate,
  file: string,
  application: string,
  principals: WantedSecrets["principals"],
): void {
  const names = subjectAltName.split(", ").map((entry) => entry.replace(/^[^:]*:/, ""));
  const services = names.filter((name) => principals.has(name));
  validate(
    services.length === 0,
    () =>
      `${file} is also valid for ${services.join(", ")}, and would have the permissions of that service: its only subject alternative name must be ${application}`,
  );
}

/** OIDs of the extended key usages (RFC 5280, 4.2.1.12). */
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** A certificate without extended key usages is for every use. Nodes and services connect to each other, so they are clients too. */
function checkUse(
  { keyUsage: uses }: X509Certificate,
  file: string,
  { isClient }: { isClient: boolean },
): void {
  const wanted = isClient
    ? { clientAuth: CLIENT_AUTH }
    : { serverAuth: SERVER_AUTH, clientAuth: CLIENT_AUTH };
  const missing = Object.entries(wanted)
    .filter(([, oid]) => uses && !uses.includes(oid))
    .map(([use]) => use);
  validate(
    missing.length === 0,
    () =>
      `${file} has a certificate whose extended key usage lacks ${missing.join(" and ")}: replace it with one for ${Object.keys(wanted).join(" and ")}`,
  );
}

function checkValidity({ certificate, place }: PlacedCertificate, file: string): void {
  const [from, to] = [certificate.validFrom, certificate.validTo].map((date) => new Date(date));
  const now = new Date();
  validate(
    now >= from,
    () =>
      `${file}: ${place} is not valid before ${from.toISOString()}, and this machine's clock says ${now.toISOString()}: set the clock, or use a certificate that is valid now`,
  );
  validate(
    now <= to,
    () =>
      `${file}: ${place} expired on ${to.toISOString()}: replace it with a certificate that is valid now`,
  );
}

/** Returns when the certificate of a file expires. */
export function expiryOf(file: string): Date {
  return new Date(readCertificate(file).validTo);
}

function readCertificate(file: string): X509Certificate {
  return readChain(file)[0].certificate;
}

/** Returns the certificates of a CA bundle: one, or two during a rotation. Throws unless all are of CAs and valid now. */
export function readCaBundle(file: string): X509Certificate[] {
  return readCertificates(file).map((placed) => {
    checkValidity(placed, file);
    checkIsCa(file, placed);
    return placed.certificate;
  });
}

/** Returns the certificates in a PEM text, without private keys. */
export function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}
