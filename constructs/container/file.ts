import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ParseError, parse, printParseErrorCode, visit } from "jsonc-parser";
import { ValidationError, validate } from "./validation";

/** A text that a container finds in place when it starts; its content is part of the plan. */
export interface UploadedFile {
  /** Absolute path inside the container. */
  readonly path: string;

  readonly content: string;
}

/**
 * A file whose content only the container and the machine that deploys see: Terraform reads it when it applies, and plan and
 * state have its path and its SHA-256 alone. Another content makes another container.
 */
export interface SecretFile {
  /** Absolute path inside the container. */
  readonly path: string;

  /** Where Terraform reads it, as the stack's working folder sees it. */
  readonly source: string;

  /**
   * Who reads it in the container: root's `group`, or `everyone` where the service runs as a user of another group.
   *
   * @default "group"
   */
  readonly readableBy?: "group" | "everyone";
}

/** A program that a container finds in place when it starts; plan and state have its hash alone. */
export interface UploadedProgram {
  /** Absolute path inside the container. */
  readonly path: string;

  /** Absolute path of the file that is copied. */
  readonly source: string;
}

/** Reads a file that lives beside the construct that owns it: `readOwnFile(__dirname, "os-init.sh")`. */
export function readOwnFile(directory: string, name: string): string {
  return readFileSync(join(directory, name), "utf8");
}

/** Renders a JSON list, an item a line: a diff names the item, and Terraform takes time by the square of a text's lines. */
export function renderJsonList(items: readonly object[]): string {
  return `[${items.map((item) => `\n  ${JSON.stringify(item)}`).join(",")}\n]`;
}

/** The object in a JSON file; an error names the kind of file, its path and the place. */
export function readJsonFile(path: string, kind: string): Record<string, unknown> {
  // Some editors begin a file with a byte order mark.
  const text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ValidationError(`${kind} ${path}:${jsonErrorOf(text)}`);
  }
  validate(
    typeof body === "object" && body !== null && !Array.isArray(body),
    () => `${kind} ${path} has to be a JSON object`,
  );
  const losses = lossesIn(text);
  if (losses.length > 0) {
    throw new ValidationError(losses.map((loss) => `${kind} ${path}:${loss}`));
  }
  return body as Record<string, unknown>;
}

/** What reading a text as JSON would lose without a word, after its place. */
function lossesIn(text: string): string[] {
  const losses: string[] = [];
  // Where each property of the objects around a place was first.
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
          `${placeOf(offset, text)} has "${name}" once more, which is at ${placeOf(first, text)} already: one of them would be lost, so leave one`,
        );
      }
      scopes.at(-1)?.set(name, offset);
    },
    onLiteralValue: (value, offset, length) => {
      const written = text.slice(offset, offset + length);
      if (typeof value === "number" && /^-?\d+$/.test(written) && !isExact(written, value)) {
        losses.push(
          `${placeOf(offset, text)} has the number ${written}, which would become ${BigInt(value)}: write it as text, "${written}"`,
        );
      }
    },
  });
  return losses;
}

const isExact = (written: string, value: number) => BigInt(written) === BigInt(value);

/** What keeps a text from being JSON, after its place, which JSON.parse of Node 20 names for few errors. */
function jsonErrorOf(text: string): string {
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true });
  const [{ error, offset }] = errors;
  return `${placeOf(offset, text)} is not JSON: ${printParseErrorCode(error)}`;
}

/** An offset as line:column. */
function placeOf(offset: number, text: string): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${before[before.length - 1].length + 1}`;
}

/** Keeps Terraform from evaluating `${...}` and `%{...}` inside a file's content. */
export function escapeTemplate(content: string): string {
  return content.replace(/[$%](?=\{)/g, (sign) => sign + sign);
}

/** The content as Terraform hands it on: what `escapeTemplate` made undone. */
export function unescapeTemplate(content: string): string {
  return content.replace(/([$%])\1(?=\{)/g, "$1");
}
