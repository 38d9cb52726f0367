import { readFileSync } from "node:fs";
import { ValidationError } from "./validation";

/**
 * Reads a text file that people write. Throws a `ValidationError` with the remedy if the path is a folder, this user may not read it, or
 * its encoding is not UTF-8. Passes on that a file does not exist.
 *
 * @param kind What messages call the file, such as "dashboard".
 */
export function readTextFile(path: string, kind?: string): string {
  const file = kind === undefined ? path : `${kind} ${path}`;
  return decodeText(readBytes(path, file), file, path);
}

/**
 * Decodes a text that people write. Throws a `ValidationError` with the remedy if its encoding is not UTF-8.
 *
 * @param what What messages call the text.
 * @param path The path of its file, if it is from one.
 */
export function decodeText(bytes: Buffer, what: string, path?: string): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new ValidationError(`${what} is UTF-16: ${saveAsUtf8("UTF-16", path)}`);
  }
  const zero = bytes.indexOf(0);
  if (zero === 0 || zero === 1) {
    const encoding = zero === 0 ? "UTF-16BE" : "UTF-16LE";
    throw new ValidationError(
      `${what} is ${encoding} without a byte order mark: ${saveAsUtf8(encoding, path)}`,
    );
  }
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new ValidationError(
      `${what} is not UTF-8: ${saveAsUtf8("ISO-8859-1", path)} if that is its encoding`,
    );
  }
}

/** Keeps a byte order mark: the container gets it too. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readBytes(path: string, file: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case "EISDIR":
        throw new ValidationError(`${file} is a folder: replace it with a file`);
      case "EACCES":
        throw new ValidationError(
          `${file} cannot be read by this user: change its owner, or run the command as its owner`,
        );
      default:
        throw error;
    }
  }
}

function saveAsUtf8(encoding: string, path?: string): string {
  if (path === undefined) {
    return `convert it to UTF-8, such as with iconv -f ${encoding} -t UTF-8,`;
  }
  const [old, next] = [quoted(path), quoted(`${path}.new`)];
  // The copy keeps the mode: the file may be a private key.
  return `save it as UTF-8, such as with cp -p ${old} ${next} && iconv -f ${encoding} -t UTF-8 ${old} >${next} && mv ${next} ${old}`;
}

/** Quotes a word for a shell where it needs that. */
export function quoted(word: string): string {
  return /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
