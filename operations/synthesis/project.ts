import { join } from "node:path";

/** The root folder of the project. */
export const PROJECT_ROOT = join(__dirname, "..", "..");

/** The module that makes Node load TypeScript, for its option `--require`. */
export const REGISTER = join(PROJECT_ROOT, "tools", "register.js");

/** The output folder of a synth. */
export const OUTPUT = join(PROJECT_ROOT, "cdktf.out");

/** Returns Terraform's working folder for a stack. Paths in the stack's JSON are relative to it. */
export function stackFolder(stack: string): string {
  return join(OUTPUT, "stacks", stack);
}
