import type { SecretFile } from "../container/file";

/**
 * What a secured platform knows its principals by; `SecretFolder` of secrets/ makes all of it. Every path is as a stack's working folder
 * sees it; no content is in what is synthesized.
 */
export interface Security {
  /** Certificates of the CAs that are trusted, PEM. */
  readonly caBundle: string;

  /**
   * Who a service or a sidecar is on the platform's networks: its private key (PKCS8) and its certificate `CN=<principal>`, in one PEM file.
   * The certificate names the hosts by which it is reached: without any it serves nobody.
   */
  keyPairOf(principal: string, hosts?: readonly string[]): string;

  /** The secrets of an application: its password, and the bcrypt hash of that. */
  credentialsOf(application: string): { readonly password: string; readonly passwordHash: string };
}

/** Scheme of HTTP URLs of the platform's services. */
export function httpScheme(secured: boolean): "https" | "http" {
  return secured ? "https" : "http";
}

interface TlsFilesOptions {
  /** @default "group" */
  readonly readableBy?: SecretFile["readableBy"];
  /**
   * Hosts by which the container is reached.
   *
   * @default - it serves nobody
   */
  readonly hosts?: readonly string[];
}

/** Whom a container trusts, `ca-bundle.pem`, and who it is, `key-pair.pem`, in a folder of it. */
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
