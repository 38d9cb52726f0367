import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { basename, join } from "node:path";
import { type ParseError, parse, printParseErrorCode, visit } from "jsonc-parser";
import { readTextFile } from "./text-file";
import { ValidationError, validate } from "./validation";

/** A text file that is copied into a container before it starts. Its content is part of the Terraform plan. */
export interface UploadedFile {
  /** The absolute path in the container. */
  readonly path: string;

  readonly content: string;
}

/**
 * A file whose content only the container and the deploying machine see. Terraform reads it at apply. Plan and state contain only its
 * path and SHA-256. Changing the content replaces the container.
 */
export interface SecretFile {
  /** The absolute path in the container. */
  readonly path: string;

  /** The path that Terraform reads, relative to the stack's working folder. */
  readonly source: string;

  /**
   * Who can read it in the container: root's `group`, or `everyone` if the service's user is not in that group.
   *
   * @default "group"
   */
  readonly readableBy?: "group" | "everyone";
}

/** A program that is copied into a container before it starts. Plan and state contain only its hash. */
export interface UploadedProgram {
  /** The absolute path in the container. */
  readonly path: string;

  /** The absolute path of the file to copy. */
  readonly source: string;
}

/** Reads a file next to its construct: `readOwnFile(__dirname, "os-init.sh")`. */
export function readOwnFile(directory: string, name: string): string {
  return readFileSync(join(directory, name), "utf8");
}

/** Renders a JSON list with one item per line: diffs name the item, and Terraform's time grows with the square of the lines. */
export function renderJsonList(items: readonly object[]): string {
  return `[${items.map((item) => `\n  ${JSON.stringify(item)}`).join(",")}\n]`;
}

/**
 * Returns the paths of the files with these extensions in a directory and its subdirectories, sorted. Throws if another file is there,
 * which would be ignored otherwise. A README.md and hidden files may be there.
 */
export function filesIn(directory: string, extensions: readonly string[], kind: string): string[] {
  const matches = (name: string) => extensions.some((extension) => name.endsWith(extension));
  const found: string[] = [];
  const ignored: string[] = [];
  const walk = (folder: string) => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      if (name.startsWith(".") || name === "README.md") {
        continue;
      }
      if (!statOf(path, kind).isDirectory()) {
        (matches(name) ? found : ignored).push(path);
      } else if (matches(name)) {
        found.push(path);
      } else {
        walk(path);
      }
    }
  };
  validate(statOf(directory, kind).isDirectory(), () => `${directory} is not a directory`);
  walk(directory);
  if (ignored.length > 0) {
    throw new ValidationError(
      ignored.map(
        (path) =>
          `${path} is not read, since files with ${kind} end with ${extensions.join(" or ")}: rename it, or move it out of ${basename(directory)}/`,
      ),
    );
  }
  return found;
}

function statOf(path: string, kind: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new ValidationError(
      `${kind} ${path} cannot be read (${(error as NodeJS.ErrnoException).code}): check that it exists and is not a broken link`,
    );
  }
}

/** Reads the object in a JSON file. Errors name the kind of file, its path, line and column. */
export function readJsonFile(path: string, kind: string): Record<string, unknown> {
  // Some editors write a byte order mark.
  return parseJson(readTextFile(path, kind).replace(/^\uFEFF/, ""), `${kind} ${path}`);
}

/** Parses the object in a JSON text. Errors start with `what`, line and column. */
export function parseJson(text: string, what: string): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ValidationError(`${what}:${jsonErrorOf(text)}`);
  }
  validate(
    typeof body === "object" && body !== null && !Array.isArray(body),
    () => `${what} must be a JSON object`,
  );
  const losses = lossesIn(text);
  if (losses.length > 0) {
    throw new ValidationError(losses.map((loss) => `${what}:${loss}`));
  }
  return body as Record<string, unknown>;
}

/** Describes what JSON.parse would silently lose, each with line and column. */
function lossesIn(text: string): string[] {
  const losses: string[] = [];
  // The first offset of each property, per open object.
  const scopes: Map<string, number>[] = [];
  visit(text, {
    onObjectBegin: () => {
      scopes.push(new Map());
    },
    onObjectEnd: () => {
      scopes.pop();
    },
    onObjectProperty: (name, offset) => {
      const first = scopes.at(-1)?.get(name);
      if (first !== undefined) {
        losses.push(
          `${placeOf(offset, text)} repeats the key "${name}" of ${placeOf(first, text)}: remove one, since JSON keeps only the last`,
        );
      }
      scopes.at(-1)?.set(name, offset);
    },
    onLiteralValue: (value, offset, length) => {
      const written = text.slice(offset, offset + length);
      if (typeof value === "number" && /^-?\d+$/.test(written) && !isExact(written, value)) {
        losses.push(
          `${placeOf(offset, text)} has the number ${written}, which is read as ${BigInt(value)}: write it as a string, "${written}"`,
        );
      }
    },
  });
  return losses;
}

const isExact = (written: string, value: number) => BigInt(written) === BigInt(value);

/** Describes a syntax error with line and column, which JSON.parse of Node 20 gives for few errors. */
function jsonErrorOf(text: string): string {
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true });
  const [{ error, offset }] = errors;
  return `${placeOf(offset, text)} is invalid JSON: ${printParseErrorCode(error)}`;
}

/** Converts an offset to line:column. */
function placeOf(offset: number, text: string): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${before[before.length - 1].length + 1}`;
}

/** Escapes `${...}` and `%{...}` so that Terraform does not evaluate them. */
export function escapeTemplate(content: string): string {
  return content.replace(/[$%](?=\{)/g, (sign) => sign + sign);
}

/** Reverts `escapeTemplate`, as Terraform does. */
export function unescapeTemplate(content: string): string {
  return content.replace(/([$%])\1(?=\{)/g, "$1");
}
