import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { ValidationError } from "../constructs/container/validation";
import { type Application, hasCertificate } from "../constructs/security/application";
import { expiryOf, SECRET_FILES } from "./secret-files";

/** Where passwords and key pairs go that are out of use, relative to the secrets folder. */
export const RETIRED = "retired";

const { password, passwordHash, checkedHash, applicationKeyPair } = SECRET_FILES;

/** The files of each authentication. The secret comes last: an interrupted retirement finds and moves it again. */
const FILES = {
  password: [checkedHash, passwordHash, password],
  certificate: [applicationKeyPair],
} as const;

/** A password or key pair in a secrets folder that its application does not authenticate with. */
export interface UnusedSecret {
  readonly application: string;
  readonly authentication: keyof typeof FILES;
  /** Whether the application is declared, with the other authentication. */
  readonly isDeclared: boolean;
  /** When its certificate expires. @default - it is a password, or the certificate cannot be read */
  readonly expires?: Date;
}

/** Returns the passwords and key pairs that no declared application authenticates with, sorted by name. */
export function unusedSecrets(folder: string, declared: readonly Application[]): UnusedSecret[] {
  const applications = join(folder, "applications");
  const files = existsSync(applications) ? readdirSync(applications) : [];
  const found = (["password", "certificate"] as const).flatMap((authentication) => {
    const suffix =
      authentication === "password" ? /^(.+)\.(?:password|bcrypt|checked)$/ : /^(.+)\.pem$/;
    const names = files.flatMap((file) => suffix.exec(file)?.[1] ?? []);
    return [...new Set(names)].sort().map((application) => ({ application, authentication }));
  });
  return found.flatMap(({ application, authentication }) => {
    const declaration = declared.find(({ name }) => name === application);
    const isUsed =
      declaration !== undefined &&
      hasCertificate(declaration) === (authentication === "certificate");
    return isUsed
      ? []
      : [
          {
            ...{ application, authentication, isDeclared: declaration !== undefined },
            ...(authentication === "certificate" && {
              expires: expiryIfReadable(join(folder, applicationKeyPair(application))),
            }),
          },
        ];
  });
}

function expiryIfReadable(file: string): Date | undefined {
  try {
    return expiryOf(file);
  } catch (error) {
    // Nobody uses the file.
    if (error instanceof ValidationError) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Moves unused passwords and key pairs out of use, so that an application that is declared again, or with its former authentication, gets
 * new ones. Returns what it moved.
 */
export function retireSecretFiles(
  folder: string,
  declared: readonly Application[],
): UnusedSecret[] {
  const unused = unusedSecrets(folder, declared);
  for (const { application, authentication } of unused) {
    for (const file of FILES[authentication].map((fileOf) => fileOf(application))) {
      const [from, to] = [join(folder, file), join(folder, RETIRED, file)];
      if (existsSync(from)) {
        mkdirSync(join(folder, RETIRED, "applications"), { recursive: true, mode: 0o700 });
        renameSync(from, to);
      }
    }
  }
  return unused;
}
