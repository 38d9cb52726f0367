import "reflect-metadata";
import { createPrivateKey, type KeyObject, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

cryptoProvider.set("node", webcrypto as never);

export const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
};
export const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
export const P384 = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
export const ED25519 = { name: "Ed25519" };

/** Extended key usages. */
export const USES = {
  serverAuth: ExtendedKeyUsage.serverAuth,
  clientAuth: ExtendedKeyUsage.clientAuth,
};

/** A certificate from elsewhere, with its private key. */
export interface Issued {
  readonly key: KeyObject;
  /** PEM with a line break at its end. */
  readonly certificate: string;
}

interface IssuedProps {
  readonly name: string;
  /** @default - itself */
  readonly issuer?: Issued;
  readonly hosts?: readonly string[];
  /** @default P256 */
  readonly algorithm?: typeof RSA | typeof P256 | typeof ED25519;
  /** @default - no extension, which allows every use */
  readonly uses?: readonly string[];
  /** @default false */
  readonly isCa?: boolean;
  /** The identifier of its key, in hexadecimal. @default - the hash that most tools use */
  readonly keyId?: string;
  /** @default - in a year */
  readonly notAfter?: Date;
}

/** Issues a certificate as a company's own CA might. */
export async function issue(props: IssuedProps): Promise<Issued> {
  const { name, issuer, hosts = [], algorithm = P256, uses, isCa = false, keyId } = props;
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const key = createPrivateKey({
    key: Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)),
    format: "der",
    type: "pkcs8",
  });
  const signer = issuer?.key;
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer ? new X509Certificate(issuer.certificate).subjectName : `CN=${name}`,
    publicKey: keys.publicKey,
    signingKey: signer
      ? await webcrypto.subtle.importKey(
          "pkcs8",
          signer.export({ type: "pkcs8", format: "der" }),
          P256,
          false,
          ["sign"],
        )
      : keys.privateKey,
    signingAlgorithm: signer ? P256 : algorithm,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: props.notAfter ?? new Date(Date.now() + 365 * 24 * 3_600_000),
    extensions: [
      new BasicConstraintsExtension(isCa, undefined, true),
      ...(uses ? [new ExtendedKeyUsageExtension([...uses])] : []),
      ...(hosts.length > 0
        ? [
            new SubjectAlternativeNameExtension(
              hosts.map((value) => ({ type: isIP(value) ? "ip" : "dns", value })),
            ),
          ]
        : []),
      ...(isCa
        ? [
            keyId
              ? new SubjectKeyIdentifierExtension(keyId)
              : await SubjectKeyIdentifierExtension.create(keys.publicKey),
          ]
        : []),
    ],
  });
  return { key, certificate: `${certificate.toString("pem")}\n` };
}

/** Returns a private key as PEM. */
export function keyAs(type: "pkcs1" | "sec1" | "pkcs8", { key }: Issued): string {
  return key.export({ type, format: "pem" } as { type: "pkcs8"; format: "pem" }) as string;
}
