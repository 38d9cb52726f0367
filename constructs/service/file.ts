import { readFileSync } from "node:fs";
import { join } from "node:path";
// JSON.parse of Node 20 names no place for most errors.
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { ValidationError, validate } from "./validation";

/** A file that a container finds in place when it starts; its content is part of the plan. */
export interface UploadedFile {
  /** Absolute path inside the container. */
  readonly path: string;

  readonly content: string;
}

/** Reads a file that lives beside the construct that owns it: `readOwnFile(__dirname, "os-init.sh")`. */
export function readOwnFile(directory: string, name: string): string {
  return readFileSync(join(directory, name), "utf8");
}

/** The object in a JSON file; an error names the kind of file, its path and the place. */
export function readJsonFile(path: string, kind: string): Record<string, unknown> {
  const text = readFileSync(path, "utf8");
  const errors: ParseError[] = [];
  const body: unknown = parse(text, errors, { disallowComments: true });
  if (errors.length > 0) {
    const [{ error, offset }] = errors;
    throw new ValidationError(
      `${kind} ${path}:${placeOf(offset, text)} is not JSON: ${printParseErrorCode(error)}`,
    );
  }
  validate(
    typeof body === "object" && body !== null && !Array.isArray(body),
    () => `${kind} ${path} has to be a JSON object`,
  );
  return body as Record<string, unknown>;
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
