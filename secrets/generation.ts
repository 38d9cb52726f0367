import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { validate } from "../constructs/container/validation";
import { SECRET_FILES, writeSecret } from "./secret-files";

/** A state of the secrets in a folder. Every change of a secret makes a new one. */
export interface Generation {
  readonly number: number;
  /** SHA-256 of the secrets, hexadecimal. @default - a person wrote the number, to accept the secrets as they are */
  readonly digest?: string;
}

/** Returns the generations that a folder has had, newest first; none if it has no such file. Throws if the file is malformed. */
export function generationsIn(folder: string): Generation[] {
  const file = join(folder, SECRET_FILES.generation);
  if (!existsSync(file)) {
    return [];
  }
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const generation = parseGeneration(line);
      validate(
        generation !== undefined,
        () =>
          `${file} has the line "${line}": each line must be a number and a SHA-256, as Groundwork wrote them; put the file back, or write only the number of the deployed generation, which npm run up names`,
      );
      return generation as Generation;
    });
}

/**
 * Returns whether the newest generation of a folder is that of the secrets beside it. It is not if somebody replaced a secret in a folder
 * from GROUNDWORK_SECRETS. A number without a digest fits any, and without the CA's key, which such a folder need not have, nothing is known.
 */
export function fitsGeneration(folder: string): boolean {
  const digest = generationsIn(folder)[0]?.digest;
  const isWhole = existsSync(join(folder, SECRET_FILES.ca));
  return digest === undefined || !isWhole || digest === digestOf(folder);
}

/** Parses a line of the file, which is also the output of a deployed stack. Returns undefined if it is none. */
export function parseGeneration(line: string): Generation | undefined {
  const [, number, digest] = /^(\d+)(?: ([0-9a-f]{64}))?$/.exec(line.trim()) ?? [];
  return number === undefined ? undefined : { number: Number(number), digest };
}

/** Adds a generation to a folder if a secret has changed since the newest one. */
export function recordGeneration(folder: string): void {
  const known = generationsIn(folder);
  const [newest] = known;
  const digest = digestOf(folder);
  if (newest?.digest !== digest) {
    const all = [{ number: (newest?.number ?? 0) + 1, digest }, ...known];
    writeSecret(folder, SECRET_FILES.generation, all.map((one) => `${render(one)}\n`).join(""));
  }
}

function render({ number, digest }: Generation): string {
  return digest === undefined ? String(number) : `${number} ${digest}`;
}

/** Returns the digest of everything that a deploy takes from the folder, except what follows from it, such as hashes of passwords. */
function digestOf(folder: string): string {
  const digest = createHash("sha256");
  for (const kind of ["applications", "ca", "grafana", "key-pairs"]) {
    const names = existsSync(join(folder, kind)) ? readdirSync(join(folder, kind)).sort() : [];
    for (const name of names.filter((file) => isSecret(`${kind}/${file}`))) {
      const content = createHash("sha256").update(readFileSync(join(folder, kind, name)));
      digest.update(`${kind}/${name} ${content.digest("hex")}\n`);
    }
  }
  return digest.digest("hex");
}

function isSecret(file: string): boolean {
  return /\.(pem|password)$/.test(file) || file === SECRET_FILES.oidcClientSecret;
}
