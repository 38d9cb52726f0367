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
import { dirname, join, resolve } from "node:path";
import { hostNameOn } from "../constructs/network/host-name";
import { CLIENTS, CLUSTERS, SERVICES } from "../constructs/security/principals";
import { ValidationError, validate } from "../constructs/service/validation";
import { type Environment, isSecured, type NetworkSettings } from "./environment";
import { nodesOf } from "./placement";

/** Names the folder that all secrets of an environment are given in, for a CI or a vault. Nothing is made or changed there. */
const GIVEN_BY = "GROUNDWORK_SECRETS";

/** A certificate is renewed when this much of its life is over. */
const LIFE_BEFORE_RENEWAL = 2 / 3;

/** OpenSearch's own tool takes as many (https://docs.opensearch.org/latest/security/access-control/users-roles/). */
const BCRYPT_ROUNDS = 12;

/** The files of an environment's secrets, below its folder. */
export const SECRET_FILES = {
  /** What new certificates are signed with: private key and certificate. */
  authority: "authority/authority.pem",
  /** What is trusted: certificates of one authority, and while that is replaced of two. */
  authorities: "authority/trusted.pem",
  /** Takes the authority's place as soon as everything trusts it. */
  nextAuthority: "authority/next.pem",
  /** The step at which a replacement of the authority stands, 1 to 3; it is not there when none is under way. */
  authorityStep: "authority/step",
  /** Private key and certificate. */
  identity: (principal: string) => `identities/${principal}.pem`,
  password: (application: string) => `applications/${application}.password`,
  passwordHash: (application: string) => `applications/${application}.bcrypt`,
} as const;

/** Where an environment's secrets lie. */
export function secretsFolder({ name }: Environment): string {
  const given = process.env[GIVEN_BY];
  return given ? resolve(given) : join(__dirname, "secrets", name);
}

/** Writes one of them for this user's eyes only, whole or not at all. */
export function writeSecret(folder: string, file: string, content: string): void {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Whether they are given from outside. */
export function secretsAreGiven(): boolean {
  return Boolean(process.env[GIVEN_BY]);
}

/** The host names and addresses of every service and sidecar that has a certificate, by its name, which is the certificate's. */
export function principalsOf(environment: Environment): ReadonlyMap<string, readonly string[]> {
  const { infra, project } = environment.networks;
  const on = (joined: readonly NetworkSettings[], ...names: string[]) => [
    ...names.flatMap((name) => [
      name,
      ...joined.flatMap((network) => [`${name}.${network.name}`, hostNameOn(network, name)]),
    ]),
    "localhost",
    "127.0.0.1",
  ];
  const nodes = CLUSTERS.flatMap((cluster) =>
    nodesOf(environment, cluster).map((name): [string, string[]] => [
      name,
      on([infra, project], name, cluster),
    ]),
  );
  return new Map([
    ...nodes,
    ...SERVICES.map((name): [string, string[]] => [name, on([infra], name)]),
    ...CLIENTS.map((name): [string, string[]] => [name, [name]]),
  ]);
}

/**
 * Makes what is missing of an environment's secrets, for this user's eyes only, and certificates anew that should not be used any more.
 * Fails when one cannot work, or, where they are given, is not there.
 */
export async function ensureIdentities(
  environment: Environment,
  applications: readonly string[] = [],
): Promise<void> {
  if (!isSecured(environment)) {
    return;
  }
  const folder = secretsFolder(environment);
  const missing = missingFiles(folder, environment, applications);
  if (secretsAreGiven()) {
    validate(
      missing.length === 0,
      () =>
        `${GIVEN_BY} is "${folder}", and ${missing.length} files are missing there: ${missing.join(", ")}; put them there, or unset ${GIVEN_BY} to have them made in environments/secrets`,
    );
  } else {
    // As long as they are good, certificates are not missed where the authority's key is elsewhere.
    const outdated = existsSync(join(folder, SECRET_FILES.authority))
      ? outdatedFiles(folder, environment, applications)
      : [];
    if (missing.length > 0 || outdated.length > 0) {
      checkAuthority(folder);
      for (const file of outdated) {
        rmSync(join(folder, file));
      }
      await makeIdentities(folder, environment, applications);
    }
  }
  checkIdentities(folder, environment);
}

/** Makes what is missing in a folder of an environment's secrets. */
export async function makeIdentities(
  folder: string,
  environment: Environment,
  applications: readonly string[],
): Promise<void> {
  // Here, since seldom is anything missing, and these libraries take a fifth of a second to load.
  const { makeAuthority, makeIdentity } = await import("./certificates");
  const { hash } = await import("bcryptjs");
  const missing = (file: string) => !existsSync(join(folder, file));
  const read = (file: string) => readFileSync(join(folder, file), "utf8");
  const write = (file: string, content: string) => writeSecret(folder, file, content);

  const { authority, authorities, identity, password, passwordHash } = SECRET_FILES;
  if (missing(authority)) {
    write(authority, await makeAuthority(`groundwork ${environment.name}`));
    write(authorities, certificatesIn(read(authority)).join(""));
  }
  for (const [name, hosts] of principalsOf(environment)) {
    if (missing(identity(name))) {
      write(identity(name), await makeIdentity(read(authority), name, hosts));
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

/** A new authority in place of one whose key is elsewhere would have everything refused that the old one has signed. */
function checkAuthority(folder: string): void {
  const { authority, authorities } = SECRET_FILES;
  const missing = [authority, authorities].filter((file) => !existsSync(join(folder, file)));
  validate(
    missing.length !== 1,
    () =>
      `${missing[0]} is missing in ${folder}, so that no certificate can be made there: put it back, or remove the whole folder to have all made anew`,
  );
}

/** Paths below the folder. */
function missingFiles(
  folder: string,
  environment: Environment,
  applications: readonly string[],
): string[] {
  const { authorities, identity, password, passwordHash } = SECRET_FILES;
  return [
    authorities,
    ...[...principalsOf(environment).keys()].map(identity),
    ...applications.flatMap((name) => [password(name), passwordHash(name)]),
  ].filter((file) => !existsSync(join(folder, file)));
}

/**
 * Paths below the folder: certificates that are not of the authority, that do not name every host, or of which two thirds of their life
 * are over, and hashes that are older than their passwords.
 */
function outdatedFiles(
  folder: string,
  environment: Environment,
  applications: readonly string[],
): string[] {
  const { authority, identity, password, passwordHash } = SECRET_FILES;
  const { publicKey } = readCertificate(join(folder, authority));
  const isThere = (file: string) => existsSync(join(folder, file));
  const changedAt = (file: string) => statSync(join(folder, file)).mtimeMs;
  return [
    ...[...principalsOf(environment)]
      .filter(([name]) => isThere(identity(name)))
      .filter(([name, hosts]) => {
        const certificate = readCertificate(join(folder, identity(name)));
        return (
          !certificate.verify(publicKey) ||
          unnamedHosts(certificate, hosts).length > 0 ||
          isDue(certificate)
        );
      })
      .map(([name]) => identity(name)),
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

/** Every certificate is valid today, of a trusted authority and has its key, and no key is anybody else's to read. */
function checkIdentities(folder: string, environment: Environment): void {
  const authorities = readAuthorities(join(folder, SECRET_FILES.authorities));
  for (const [name, hosts] of principalsOf(environment)) {
    const file = join(folder, SECRET_FILES.identity(name));
    const certificate = readCertificate(file);
    checkValidity(certificate, file);
    validate(
      authorities.some((authority) => certificate.verify(authority.publicKey)),
      () =>
        `${file} is of none of the authorities in ${SECRET_FILES.authorities}: give the certificate that one of them has signed, or add its authority there`,
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

function readCertificate(file: string): X509Certificate {
  const pem = readFileSync(file, "utf8");
  try {
    return new X509Certificate(pem);
  } catch {
    throw new ValidationError(`${file} has no certificate: it has to have one, as PEM`);
  }
}

/** Every authority of a file that has one or, while it is replaced, two. */
function readAuthorities(file: string): X509Certificate[] {
  const blocks = certificatesIn(readFileSync(file, "utf8"));
  validate(
    blocks.length > 0,
    () => `${file} has no certificate: it has to have one at least, as PEM`,
  );
  return blocks.map((block) => {
    const authority = new X509Certificate(block);
    checkValidity(authority, file);
    return authority;
  });
}

/** Until when the certificates of an environment that has its secrets are good, by the names of whom they are. */
export function certificatesOf(environment: Environment): {
  readonly principals: ReadonlyMap<string, Date>;
  readonly authorities: ReadonlyMap<string, Date>;
} {
  const folder = secretsFolder(environment);
  return {
    principals: new Map(
      [...principalsOf(environment).keys()].map((name) => [
        name,
        new Date(readCertificate(join(folder, SECRET_FILES.identity(name))).validTo),
      ]),
    ),
    authorities: new Map(
      readAuthorities(join(folder, SECRET_FILES.authorities)).map(({ subject, validTo }) => [
        subject,
        new Date(validTo),
      ]),
    ),
  };
}

/** Without the keys that are beside them. */
export function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}
