import type { SecretFile } from "../container/file";

/**
 * What a secured platform knows its principals by; `SecretFolder` of secrets/ makes all of it. Every path is as a stack's working folder
 * sees it; no content is in what is synthesized.
 */
export interface Security {
  /** Certificates of the authorities that are trusted, PEM. */
  readonly authorities: string;

  /**
   * Who a service or a sidecar is on the platform's networks: its private key (PKCS8) and its certificate `CN=<principal>`, in one PEM file.
   * The certificate names the hosts by which it is reached: without any it serves nobody.
   */
  identityOf(principal: string, hosts?: readonly string[]): string;

  /** The secrets of an application: its password, and the bcrypt hash of that. */
  credentialsOf(application: string): { readonly password: string; readonly passwordHash: string };
}

/** Scheme of HTTP URLs of the platform's services. */
export function httpScheme(secured: boolean): "https" | "http" {
  return secured ? "https" : "http";
}

interface IdentityFilesOptions {
  /** @default "group" */
  readonly readableBy?: SecretFile["readableBy"];
  /**
   * Hosts by which the container is reached.
   *
   * @default - it serves nobody
   */
  readonly hosts?: readonly string[];
}

/** Whom a container trusts, `authorities.pem`, and who it is, `identity.pem`, in a folder of it. */
export function identityFiles(
  security: Security,
  principal: string,
  folder: string,
  { readableBy, hosts }: IdentityFilesOptions = {},
): SecretFile[] {
  return [
    { path: `${folder}/authorities.pem`, source: security.authorities, readableBy },
    { path: `${folder}/identity.pem`, source: security.identityOf(principal, hosts), readableBy },
  ];
}
