import { join } from "node:path";

/** The folder of the project. */
export const PROJECT_ROOT = join(__dirname, "..", "..");

/** What has Node read TypeScript, as its option `--require`. */
export const REGISTER = join(PROJECT_ROOT, "tools", "register.js");

/** Where a synth writes. */
export const OUTPUT = join(PROJECT_ROOT, "cdktf.out");

/** Where Terraform works on a stack; paths in the stack's JSON are relative to it. */
export function stackFolder(stack: string): string {
  return join(OUTPUT, "stacks", stack);
}
