import { join, resolve } from "node:path";
import type { Security } from "../constructs";
import { ensureSecretFiles, SECRET_FILES } from "./secret-files";
import { renameSecretFiles } from "./takeover";

/** Returns the paths of the secrets in a folder, which is relative to a stack's working folder. */
export function securityIn(folder: string): Security {
  const at = (file: string) => `${folder}/${file}`;
  return {
    caBundle: at(SECRET_FILES.caBundle),
    keyPairOf: (principal) => at(SECRET_FILES.keyPair(principal)),
    credentialsOf: (application) => ({
      password: at(SECRET_FILES.password(application)),
      passwordHash: at(SECRET_FILES.passwordHash(application)),
    }),
  };
}

/**
 * A folder with the secrets of secured clusters: a CA, a key pair for each node and sidecar, a password for each application. Keep it out
 * of version control.
 */
export class SecretFolder implements Security {
  /** Absolute path of the folder. */
  readonly path: string;

  private readonly files: Security;
  private readonly principals = new Map<string, readonly string[]>();
  private readonly applications = new Set<string>();
  private readonly certificateApplications = new Set<string>();

  /**
   * @param path Path of the folder. It is created if it does not exist.
   */
  constructor(path: string) {
    this.path = resolve(path);
    this.files = securityIn(this.path);
  }

  get caBundle(): string {
    return this.files.caBundle;
  }

  keyPairOf(principal: string, hosts: readonly string[] = [principal]): string {
    const known = this.principals.get(principal) ?? [];
    this.principals.set(principal, [...new Set([...known, ...hosts])]);
    return this.files.keyPairOf(principal);
  }

  credentialsOf(application: string): { readonly password: string; readonly passwordHash: string } {
    this.applications.add(application);
    return this.files.credentialsOf(application);
  }

  /**
   * Returns the path of the key pair of an application with `authentication: "certificate"`: one PEM file with its private key (PKCS8) and
   * its certificate. No construct needs it: call this for every such application before `ensure`.
   */
  applicationKeyPairOf(application: string): string {
    this.certificateApplications.add(application);
    return join(this.path, SECRET_FILES.applicationKeyPair(application));
  }

  /**
   * Generates the missing secrets of all constructs that exist so far. Renews certificates that lack a host name or are past two thirds of
   * their 90 days. Call it after the last construct and before a deploy. A synth alone does not need the files.
   */
  async ensure(): Promise<void> {
    if (renameSecretFiles(this.path)) {
      console.error(
        `renamed the secrets in ${this.path}: they had the names of an earlier version`,
      );
    }
    await ensureSecretFiles(this.path, {
      owner: "groundwork",
      principals: this.principals,
      passwordApplications: [...this.applications],
      certificateApplications: [...this.certificateApplications],
    });
  }
}
