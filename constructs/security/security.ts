import type { SecretFile } from "../container/file";

/**
 * The certificates, key pairs and credentials of a secured platform. `SecretFolder` in secrets/ creates them. Paths are relative to a
 * stack's working folder. The synthesized configuration contains only paths, never contents.
 */
export interface Security {
  /** The path of the trusted CA certificates, PEM. */
  readonly caBundle: string;

  /**
   * The generation of the secrets, for the label `groundwork.secrets-generation` of `kafka-init` and `os-security`. A new generation alone
   * replaces no container: what rotates passwords and certificates of the platform replaces these two.
   *
   * @default - no label
   */
  readonly generation?: string;

  /**
   * Returns the path of the key pair of a service or sidecar: one PEM file with its private key (PKCS8) and its certificate
   * `CN=<principal>`. The certificate is valid for `hosts`; without hosts, it is a client certificate only.
   */
  keyPairOf(principal: string, hosts?: readonly string[]): string;

  /** Returns the paths of an application's password and of its bcrypt hash. */
  credentialsOf(application: string): { readonly password: string; readonly passwordHash: string };
}

/** The label that tells every clone which generation of the secrets is deployed. */
export const GENERATION_LABEL = "groundwork.secrets-generation";

/** Returns the URL scheme of the platform's HTTP services. */
export function httpScheme(secured: boolean): "https" | "http" {
  return secured ? "https" : "http";
}

interface TlsFilesOptions {
  /** @default "group" */
  readonly readableBy?: SecretFile["readableBy"];
  /**
   * The host names of the container.
   *
   * @default - none: a client certificate only
   */
  readonly hosts?: readonly string[];
}

/** Returns the CA bundle, `ca-bundle.pem`, and the key pair of a principal, `key-pair.pem`, for a folder of a container. */
export function tlsFiles(
  security: Security,
  principal: string,
  folder: string,
  { readableBy, hosts }: TlsFilesOptions = {},
): SecretFile[] {
  return [
    { path: `${folder}/ca-bundle.pem`, source: security.caBundle, readableBy },
    { path: `${folder}/key-pair.pem`, source: security.keyPairOf(principal, hosts), readableBy },
  ];
}
