import { resolve } from "node:path";
import type { Security } from "../constructs";
import { ensureSecretFiles, SECRET_FILES } from "./secret-files";
import { renameSecretFiles } from "./takeover";

/** A folder of secrets as constructs use it: paths below it, as a stack's working folder sees them. */
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
 * A folder that secures clusters: a CA, a key pair for each node and sidecar, a password for each application. Keep it out of version
 * control.
 */
export class SecretFolder implements Security {
  /** Absolute path of the folder. */
  readonly path: string;

  private readonly files: Security;
  private readonly principals = new Map<string, readonly string[]>();
  private readonly applications = new Set<string>();

  /**
   * @param path Path of the folder. It is made when it does not exist.
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
   * Makes the secrets that are missing of all that constructs have asked for by now, and those certificates again that do not name every
   * host or have passed two thirds of their year. Call it between the last construct and a deploy; a synth alone does not need the files.
   */
  async ensure(): Promise<void> {
    if (renameSecretFiles(this.path)) {
      console.error(
        `renamed the secrets in ${this.path}, which had the names of an earlier version`,
      );
    }
    await ensureSecretFiles(this.path, {
      owner: "groundwork",
      principals: this.principals,
      applications: [...this.applications],
    });
  }
}
