import { readFileSync } from "node:fs";
import { join } from "node:path";

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

/** Keeps Terraform from evaluating `${...}` and `%{...}` inside a file's content. */
export function escapeTemplate(content: string): string {
  return content.replace(/[$%](?=\{)/g, (sign) => sign + sign);
}

/** The content as Terraform hands it on: what `escapeTemplate` made undone. */
export function unescapeTemplate(content: string): string {
  return content.replace(/([$%])\1(?=\{)/g, "$1");
}
