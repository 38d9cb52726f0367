// Makes what is missing of an environment's secrets. A process of its own, since a synth does not wait for what Web Crypto promises, and
// seldom needs the libraries; it reads the environment and its applications from its input.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hash } from "bcryptjs";
import { makeAuthority, makeIdentity } from "./certificates";
import type { Environment } from "./environment";
import {
  certificatesIn,
  principalsOf,
  SECRET_FILES,
  secretsFolder,
  writeSecret,
} from "./identities";

/** OpenSearch's own tool takes as many (https://docs.opensearch.org/latest/security/access-control/users-roles/). */
const BCRYPT_ROUNDS = 12;

/** Makes what is missing of an environment's secrets. */
export async function makeIdentities(environment: Environment, applications: readonly string[]) {
  const folder = secretsFolder(environment);
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

if (require.main === module) {
  const { environment, applications } = JSON.parse(readFileSync(0, "utf8"));
  makeIdentities(environment, applications).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
