import { readSidecarRun, type SidecarRun } from "../../constructs/init-sidecar/run-log";
import type { Environment } from "../../environments";
import { engineOf } from "../../environments/placement";
import { tryDockerAt } from "../engine/docker";

/** What a sidecar said when it ran once more. */
export interface Rerun extends SidecarRun {
  readonly sidecar: string;
  readonly exitCode: number;
}

/** Starts a finished sidecar again and waits until it has ended. */
export async function rerunSidecar(environment: Environment, sidecar: string): Promise<Rerun> {
  const engine = engineOf(environment, sidecar);
  const { exitCode, output } = await tryDockerAt(engine, "start", "--attach", sidecar);
  return { sidecar, exitCode, ...readSidecarRun(sidecar, output) };
}
