import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { SECRET_FILES } from "./secret-files";

/** Where passwords go that are out of use, relative to the secrets folder. */
export const RETIRED = "retired";

/** Returns the applications that have a password and are not declared, sorted. */
export function undeclaredApplications(folder: string, declared: readonly string[]): string[] {
  const passwords = join(folder, "applications");
  const names = (existsSync(passwords) ? readdirSync(passwords) : []).flatMap(
    (file) => /^(.+)\.(?:password|bcrypt|checked)$/.exec(file)?.[1] ?? [],
  );
  return [...new Set(names)].filter((name) => !declared.includes(name)).sort();
}

/**
 * Moves the passwords and hashes of applications that are not declared out of use, so that one that is declared again gets a new password.
 * Returns the names of the applications.
 */
export function retireApplications(folder: string, declared: readonly string[]): string[] {
  const names = undeclaredApplications(folder, declared);
  const { password, passwordHash, checkedHash } = SECRET_FILES;
  for (const name of names) {
    // The password last: if this is interrupted, the next deploy finds and moves it.
    for (const file of [checkedHash, passwordHash, password].map((fileOf) => fileOf(name))) {
      const [from, to] = [join(folder, file), join(folder, RETIRED, file)];
      if (existsSync(from)) {
        mkdirSync(join(folder, RETIRED, "applications"), { recursive: true, mode: 0o700 });
        renameSync(from, to);
      }
    }
  }
  return names;
}
