import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { quoted, readTextFile } from "../constructs/container/text-file";
import { ValidationError, validate } from "../constructs/container/validation";

/** A block of a PEM file (RFC 7468). */
interface PemBlock {
  /** What its first line names, such as "CERTIFICATE". */
  readonly label: string;
  /** Number of its first line, from 1. */
  readonly line: number;
  /** The block with LF line breaks, also after its last line. */
  readonly text: string;
}

/** A certificate of a file with its place there, such as "certificate 2 of 2 (CN=ca)". */
export interface PlacedCertificate {
  readonly certificate: X509Certificate;
  readonly place: string;
}

/** A CA that signs certificates. */
interface SigningCa {
  readonly certificate: X509Certificate;
  /** Its private key, RSA or EC, and its certificate. */
  readonly pem: string;
}

/** What may be meant as the first or last line of a block: with hyphens or dashes, or nothing but the words. A note is neither. */
const MARKER =
  /-----\s*(?:BEGIN|END)\b|(?:--|[–—])\s*(?:BEGIN|END)\b.*\b(?:CERTIFICATE|KEY|PARAMETERS)\b/i;
const BARE_MARKER = /^\W*(?:BEGIN|END) [A-Z0-9 ]*(?:CERTIFICATE|KEY|PARAMETERS)\W*$/;
const WHOLE_MARKER = /^-----(BEGIN|END) ([A-Z0-9 ]+)-----$/;
const CONTENT = /^[A-Za-z0-9+/=]*$/;

/** What Java, and therefore Kafka and OpenSearch, computes with. */
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];
const SHORTEST_RSA_BITS = 2048;

/**
 * Returns the blocks of a PEM file. Text between them is ignored, as every reader does. Throws if a block is not as every reader takes
 * it.
 */
function readPem(file: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { label: string; line: number; lines: string[] } | undefined;
  const refuse = (line: number, what: string) => {
    throw new ValidationError(`${file}:${line} ${what}`);
  };
  for (const [i, text] of readTextFile(file).split(/\r?\n/).entries()) {
    const line = i + 1;
    const [, marker, label] = WHOLE_MARKER.exec(text) ?? [];
    if (marker === "BEGIN" && !open) {
      open = { label, line, lines: [text] };
    } else if (marker === "END" && open?.label === label) {
      const lines = [...open.lines, text];
      blocks.push({ label, line: open.line, text: lines.map((one) => `${one}\n`).join("") });
      open = undefined;
    } else if (marker || MARKER.test(text) || BARE_MARKER.test(text)) {
      refuse(
        line,
        "has a BEGIN or END that does not stand alone on its line, spaces included, or without its counterpart: put each on a line of its own, first BEGIN, then the content, then END",
      );
    } else if (open) {
      if (open.label.endsWith("PRIVATE KEY") && /^[\w-]+: /.test(text)) {
        refuse(line, encryptedKey(file));
      }
      if (!CONTENT.test(text)) {
        refuse(
          line,
          `has a space or another character that is not base64, within ${open.label} of line ${open.line}: copy the block again`,
        );
      }
      open.lines.push(text);
    }
  }
  if (open) {
    refuse(open.line, `begins ${open.label} without an END: the file is cut off; copy it again`);
  }
  return blocks;
}

/** Returns the certificates of a CA bundle, in their order. Throws if it has none, or anything else: applications get it. */
export function readCertificates(file: string): PlacedCertificate[] {
  const blocks = readPem(file);
  for (const { label, line } of blocks) {
    validate(
      label === "CERTIFICATE",
      () =>
        `${file}:${line} has ${inWords(label)}, but a CA bundle is given to every application: ${label.includes("PRIVATE KEY") ? "remove it from the file, and replace the key if others could read it" : "leave only blocks of BEGIN CERTIFICATE"}`,
    );
  }
  validate(blocks.length > 0, () => `${file} contains no certificate: add at least one, as PEM`);
  return certificatesOf(file, blocks);
}

/** Returns the certificates of a CA bundle as PEM, and nothing else: LF line breaks, no text between them. */
export function readCaBundleText(file: string): string {
  return readCertificates(file)
    .map(({ certificate }) => certificate.toString())
    .join("");
}

/** Returns the certificates of a file that may also have a private key: that of its owner, then those of CAs between it and the bundle. */
export function readChain(file: string): PlacedCertificate[] {
  const blocks = readPem(file).filter(({ label }) => label === "CERTIFICATE");
  validate(blocks.length > 0, () => `${file} contains no certificate: add one, as PEM`);
  return certificatesOf(file, blocks);
}

/** Reads the CA that signs certificates: a key in any PEM form, RSA or EC, and its certificate, in any order. */
export function readSigningCa(file: string): SigningCa {
  const [{ certificate, place }] = readChain(file);
  const block = onlyKeyOf(file);
  const key = decodeKey(file, block);
  checkKeyType(file, key);
  validate(
    certificate.checkPrivateKey(key),
    () => `${file} has another private key than that of ${place}: put both of one CA into it`,
  );
  checkIsCa(file, { certificate, place });
  return { certificate, pem: `${block.text}${certificate}` };
}

/** Throws unless a file has one private key, of its first certificate, that Kafka can read. OpenSearch, curl and Go read more. */
export function checkKeyPair(file: string): void {
  const [{ certificate }] = readChain(file);
  const block = onlyKeyOf(file);
  const key = decodeKey(file, block);
  checkKeyType(file, key);
  validate(
    block.label === "PRIVATE KEY",
    () =>
      `${file}:${block.line} has ${inWords(block.label)}, but Kafka reads only PKCS8 (BEGIN PRIVATE KEY): run ${inKeyFile(file, "openssl pkcs8 -topk8 -nocrypt")}`,
  );
  validate(
    certificate.checkPrivateKey(key),
    () =>
      `${file} has no private key for its certificate: put both into this file as PEM, the key as PKCS8 without a password`,
  );
}

/** Returns the private key of a key pair's file, and its certificates, that of its owner first. All are PEM with LF line breaks. */
export function readKeyPair(file: string): { readonly key: string; readonly chain: string } {
  const certificates = readChain(file).map(({ certificate }) => certificate.toString());
  return { key: onlyKeyOf(file).text, chain: certificates.join("") };
}

/** Returns the content of a key pair's file with its key as PKCS8; `undefined` if it is that already, or not the only key. */
export function withPkcs8Key(file: string): string | undefined {
  const blocks = readPem(file);
  const keys = blocks.filter(({ label }) => label.endsWith("PRIVATE KEY"));
  // Several are refused. None of them may be lost.
  if (keys.length !== 1 || !/^(?:RSA|EC) PRIVATE KEY$/.test(keys[0].label)) {
    return undefined;
  }
  const certificates = blocks.filter(({ label }) => label === "CERTIFICATE");
  const converted = decodeKey(file, keys[0]).export({ type: "pkcs8", format: "pem" });
  return [converted, ...certificates.map(({ text }) => text)].join("");
}

/** Throws unless a certificate may sign others. */
export function checkIsCa(file: string, { certificate, place }: PlacedCertificate): void {
  validate(
    certificate.ca,
    () =>
      `${file}: ${place} is not the certificate of a CA (no CA:TRUE in its basic constraints), so clients would refuse all that it signed: use the CA's own certificate`,
  );
}

function onlyKeyOf(file: string): PemBlock {
  const keys = readPem(file).filter(({ label }) => label.endsWith("PRIVATE KEY"));
  validate(
    keys.length > 0,
    () =>
      `${file} has no private key for its certificate: put both into this file as PEM, the key as PKCS8 without a password`,
  );
  validate(
    keys.length === 1,
    () =>
      `${file} has ${keys.length} private keys, at lines ${keys.map(({ line }) => line).join(" and ")}: leave only that of its certificate`,
  );
  return keys[0];
}

function decodeKey(file: string, { label, line, text }: PemBlock): KeyObject {
  validate(label !== "ENCRYPTED PRIVATE KEY", () => `${file}:${line} ${encryptedKey(file)}`);
  try {
    return createPrivateKey(text);
  } catch {
    throw new ValidationError(
      `${file}:${line} has ${inWords(label)} that cannot be decoded: copy it again`,
    );
  }
}

function checkKeyType(file: string, key: KeyObject): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  const { modulusLength = 0, namedCurve = "" } = details;
  const found =
    type === "rsa"
      ? `${modulusLength} bits of RSA`
      : type === "ec"
        ? `the curve ${namedCurve}`
        : type;
  validate(
    type === "rsa" ? modulusLength >= SHORTEST_RSA_BITS : CURVES.includes(namedCurve),
    () =>
      `${file} has a private key of ${found}, which not every service accepts: use RSA of at least ${SHORTEST_RSA_BITS} bits, or EC on the curve P-256, P-384 or P-521`,
  );
}

function certificatesOf(file: string, blocks: readonly PemBlock[]): PlacedCertificate[] {
  return blocks.map(({ line, text }, i) => {
    try {
      const certificate = new X509Certificate(text);
      const subject = certificate.subject.replaceAll("\n", ", ");
      const which =
        blocks.length === 1 ? "its certificate" : `certificate ${i + 1} of ${blocks.length}`;
      return { certificate, place: `${which} (${subject})` };
    } catch {
      throw new ValidationError(
        `${file}:${line} has a certificate that cannot be decoded: copy it again`,
      );
    }
  });
}

function encryptedKey(file: string): string {
  return `has a private key with a password, which no service is given: run ${inKeyFile(file, "openssl pkey")}`;
}

/** Returns the command that replaces the key of a file with what openssl makes of it. */
function inKeyFile(file: string, openssl: string): string {
  const [old, next] = [quoted(file), quoted(`${file}.new`)];
  return `(umask 077; ${openssl} -in ${old} >${next} && sed -n '/BEGIN CERT/,/END CERT/p' ${old} >>${next} && mv ${next} ${old})`;
}

/** Describes a block without its content. */
function inWords(label: string): string {
  const forms: Readonly<Record<string, string>> = {
    "PRIVATE KEY": "a private key",
    "RSA PRIVATE KEY": "a private key as PKCS1 (BEGIN RSA PRIVATE KEY)",
    "EC PRIVATE KEY": "a private key as SEC1 (BEGIN EC PRIVATE KEY)",
  };
  return forms[label] ?? `a block of BEGIN ${label}`;
}
