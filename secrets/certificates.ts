import "reflect-metadata";
import {
  createPrivateKey,
  type KeyObject,
  X509Certificate as NodeCertificate,
  randomBytes,
  webcrypto,
} from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const CURVE = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** By OpenSSL's name of the curve. */
const EC_ALGORITHMS = {
  prime256v1: CURVE,
  secp384r1: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  secp521r1: { name: "ECDSA", namedCurve: "P-521", hash: "SHA-512" },
};
const DAY_MS = 24 * 60 * 60 * 1000;
/** The clocks of other machines may be behind. */
const CLOCK_SKEW_MS = 60 * 60 * 1000;
const CA_DAYS = 3650;
/** Short, since nothing revokes a single certificate. It is renewed with 30 days left. */
const KEY_PAIR_DAYS = 90;

cryptoProvider.set("node", webcrypto as never);

/** Returns a new CA, valid for ten years: private key (PKCS8) and certificate as PEM. A random part of its subject makes it unique. */
export async function makeCa(name: string): Promise<string> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name} ${randomBytes(4).toString("hex")}`,
    keys,
    signingAlgorithm: CURVE,
    ...validity(CA_DAYS),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pemOf(certificate, keys);
}

/**
 * Returns a new key pair, valid for 90 days: private key (PKCS8) and certificate `CN=<name>`, signed by the CA, as PEM. The certificate
 * is for servers at these host names and IP addresses, unless it is for a client only, and for clients.
 *
 * @param ca Private key, RSA or EC, and certificate of the CA as PEM, in any order.
 */
export async function makeKeyPair(
  ca: string,
  name: string,
  hosts: readonly string[],
  { clientOnly = false }: { readonly clientOnly?: boolean } = {},
): Promise<string> {
  const issuer = new X509Certificate(new NodeCertificate(ca).raw);
  const caKey = createPrivateKey(ca);
  const signingAlgorithm = algorithmOf(caKey);
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    caKey.export({ type: "pkcs8", format: "der" }),
    signingAlgorithm,
    false,
    ["sign"],
  );
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm,
    ...validity(KEY_PAIR_DAYS),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([
        ...(clientOnly ? [] : [ExtendedKeyUsage.serverAuth]),
        ExtendedKeyUsage.clientAuth,
      ]),
      new SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIP(value) ? "ip" : "dns", value })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await authorityKeyIdentifier(issuer),
    ],
  });
  return pemOf(certificate, keys);
}

/** Returns how a CA signs: with RSA, or on its own curve. */
function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  return asymmetricKeyType === "rsa"
    ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
    : EC_ALGORITHMS[asymmetricKeyDetails?.namedCurve as keyof typeof EC_ALGORITHMS];
}

/** Repeats the CA's own identifier, which is not always the hash that this library computes. */
async function authorityKeyIdentifier(ca: X509Certificate) {
  const own = ca.getExtension(SubjectKeyIdentifierExtension);
  return own
    ? new AuthorityKeyIdentifierExtension(own.keyId)
    : await AuthorityKeyIdentifierExtension.create(ca);
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - CLOCK_SKEW_MS), notAfter: new Date(now + days * DAY_MS) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(CURVE, true, [
    "sign",
    "verify",
  ]) as Promise<webcrypto.CryptoKeyPair>;
}

async function pemOf(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<string> {
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return `${PemConverter.encode(key, "PRIVATE KEY")}\n${certificate.toString("pem")}\n`;
}
