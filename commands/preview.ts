import { preview } from "../operations/changes/preview";
import { type Format, RENDERERS } from "../operations/changes/render";
import { exitCodeOf } from "../operations/changes/report";
import { currentEnvironment, knownEnvironments } from "../operations/synthesis/environment";

export interface PreviewOptions {
  readonly base: string;
  readonly env?: string;
  readonly all: boolean;
  readonly format: Format;
}

/** Prints what the working tree changes compared with a revision. Sets the exit code by the severity of the changes. */
export async function showPreview({ base, env, all, format }: PreviewOptions): Promise<void> {
  const names = all
    ? Object.keys(knownEnvironments)
    : [currentEnvironment(env ?? process.env.GROUNDWORK_ENV).name];
  const reports = await preview(base, names);
  console.log(RENDERERS[format](reports));
  process.exitCode = exitCodeOf(reports);
}
