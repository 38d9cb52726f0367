import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stream } from "./stream";
import { type TerraformBinary, terraformEnv } from "./terraform";

export const PROJECT_ROOT = join(__dirname, "..", "..");
const CDKTF = join(PROJECT_ROOT, "node_modules", ".bin", "cdktf");

export interface CdktfOptions {
  /** Name of the environment, for the app. */
  readonly environment: string;
  readonly terraform?: TerraformBinary;
  /** Further variables for the app. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where the whole output goes. */
  readonly logFile: string;
  /** Is told every line as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Runs the cdktf CLI and returns its exit code. Throws when the user interrupts it. */
export function cdktf(args: readonly string[], options: CdktfOptions): Promise<number> {
  return stream(CDKTF, args, {
    cwd: PROJECT_ROOT,
    env: {
      ...terraformEnv(process.env),
      CHECKPOINT_DISABLE: "1",
      FORCE_COLOR: "0",
      GROUNDWORK_ENV: options.environment,
      ...(options.terraform && { TERRAFORM_BINARY_NAME: options.terraform.command }),
      ...options.env,
    },
    logFile: options.logFile,
    onLine: options.onLine,
  });
}

/** A resource of a synthesized stack. */
export interface SynthesizedResource {
  readonly stack: string;
  readonly type: string;
  /** Terraform's name for it, unique with the type in its stack. */
  readonly id: string;
  readonly body: Record<string, unknown>;
}

/** Every resource of one type, or of all, in the output of the last synth. */
export function synthesizedResources(type?: string): SynthesizedResource[] {
  const stacks = join(PROJECT_ROOT, "cdktf.out", "stacks");
  const manifest = JSON.parse(
    readFileSync(join(PROJECT_ROOT, "cdktf.out", "manifest.json"), "utf8"),
  );
  return readdirSync(stacks)
    .filter((stack) => stack in manifest.stacks)
    .flatMap((stack) =>
      resourcesOf(stack, JSON.parse(readFileSync(join(stacks, stack, "cdk.tf.json"), "utf8"))),
    )
    .filter((resource) => type === undefined || resource.type === type);
}

/** Every resource of a stack's JSON. */
export function resourcesOf(
  stack: string,
  { resource = {} }: { resource?: Record<string, Record<string, Record<string, unknown>>> },
): SynthesizedResource[] {
  return Object.entries(resource).flatMap(([type, bodies]) =>
    Object.entries(bodies).map(([id, body]) => ({ stack, type, id, body })),
  );
}
