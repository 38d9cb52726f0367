import { readSidecarRun, type SidecarRun } from "../../constructs/init-sidecar/run-log";
import { tryDockerAt } from "../engine/docker";
import type { Platform } from "../platform/platform";

/** The result of running a sidecar again. */
export interface Rerun extends SidecarRun {
  readonly sidecar: string;
  readonly exitCode: number;
}

/** Starts a finished sidecar again and waits until it ends. */
export async function rerunSidecar(platform: Platform, sidecar: string): Promise<Rerun> {
  const engine = platform.engineOf(sidecar);
  const { exitCode, output } = await tryDockerAt(engine, "start", "--attach", sidecar);
  return { sidecar, exitCode, ...readSidecarRun(sidecar, output) };
}
