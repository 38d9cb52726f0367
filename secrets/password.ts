import { readTextFile } from "../constructs/container/text-file";
import { validate } from "../constructs/container/validation";

/** bcrypt, and with it OpenSearch, ignores what follows. */
const LONGEST_PASSWORD_BYTES = 72;

/** Returns the content of a file without one line break at its end, LF or CRLF. All other white space belongs to a password. */
export function withoutLineBreak(content: string): string {
  return content.replace(/\r?\n$/, "");
}

/**
 * Returns the password in an application's file. Throws if not every client could send it: it has 1 to 72 bytes of printable characters
 * in one line. The messages do not contain it.
 */
export function readPassword(file: string): string {
  const password = withoutLineBreak(readTextFile(file));
  const lines = password.split(/\r\n|[\n\r]/).length;
  validate(password !== "", () => `${file} is empty: write the password to it, in one line`);
  validate(
    lines === 1,
    () => `${file} has ${lines} lines: leave only the password, with at most one line break`,
  );
  const place = placeOfUnprintable(password);
  validate(
    place === undefined,
    () =>
      `${file} has an invalid character at position ${place}, such as a tab or a byte order mark: use a password of printable characters`,
  );
  const bytes = Buffer.byteLength(password);
  validate(
    bytes <= LONGEST_PASSWORD_BYTES,
    () =>
      `${file} has a password of ${bytes} bytes, of which OpenSearch compares only the first ${LONGEST_PASSWORD_BYTES}: choose a shorter one`,
  );
  return password;
}

/** Returns the position of the first character that cannot be typed or shown, from 1. */
export function placeOfUnprintable(password: string): number | undefined {
  // U+FFFD stands for bytes that are not UTF-8.
  const place = password.search(/[\p{Cc}\p{Cs}\u2028\u2029\uFEFF\uFFFD]/u);
  return place === -1 ? undefined : place + 1;
}
