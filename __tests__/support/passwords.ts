import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { readPassword } from "../../secrets/password";

/** Passwords that some format has a special meaning for. */
const SPECIAL = [
  ...[
    '"',
    "\\",
    "\\u0041",
    "\\n",
    "'",
    "$HOME",
    "$\u007bHOME}",
    "$(id)",
    "`id`",
    "#a",
    "a #b",
    "!a",
  ],
  ...[
    " leading",
    "trailing ",
    "  ",
    "\u00a0nbsp\u00a0",
    "\u3000",
    "a=b:c",
    "=a",
    ";",
    '";',
    "//",
    "/*",
  ],
  ...["ä", "пароль 🔑", "e\u0301", "\ud7ff\ue000", "%s%n", "&&", "*", "~", "export A=b", "\u200b"],
];

/** Returns passwords that an application may have: special ones, and random ones. */
export function passwords(count: number): string[] {
  const folder = mkdtempSync(join(tmpdir(), "passwords-"));
  const file = join(folder, "password");
  const isAllowed = (password: string) => {
    writeFileSync(file, `${password}\n`);
    try {
      return readPassword(file) === password;
    } catch {
      return false;
    }
  };
  const printable = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 72 });
  const beyond = fc.string({ unit: "binary", minLength: 1, maxLength: 18 });
  const special = fc
    .array(fc.constantFrom(..."\"\\'$`# =!:;u0041\t"), { minLength: 1, maxLength: 12 })
    .map((characters) => characters.join(""));
  const found = fc.sample(fc.oneof(printable, beyond, special), count).filter(isAllowed);
  expect(found.length).toBeGreaterThan(count / 2);
  rmSync(folder, { recursive: true });
  return [...SPECIAL, ...found];
}
