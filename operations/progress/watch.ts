import { setTimeout } from "node:timers/promises";
import { BACKUP_PRINCIPAL } from "../../constructs/opensearch/backup";
import { lastLines } from "../engine/docker";
import { inspectContainers } from "../platform/containers";
import type { Platform } from "../platform/platform";
import type { Progress } from "./progress";
import { statusOf } from "./status";

const INTERVAL_MS = 1000;

/** Polls the status of the containers that a deploy waits for, until `work` ends. */
export async function watchWhile<T>(
  platform: Platform,
  progress: Progress,
  work: Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      await setTimeout(INTERVAL_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      // A failed look only skips one update: Ctrl-C ends the docker command too.
      await look(platform, progress).catch(() => undefined);
      progress.draw();
    }
  })();
  try {
    return await work;
  } finally {
    ended.abort();
    await watching;
    progress.end();
  }
}

async function look(platform: Platform, progress: Progress): Promise<void> {
  const names = progress.waitedFor();
  const { states } = await inspectContainers(platform, names);
  for (const state of states) {
    const name = state.Name.slice(1);
    const speaks = !state.State.Health || state.RestartCount > 0 || name === BACKUP_PRINCIPAL;
    const log = speaks ? await lastLines(platform.engineOf(name), name, 1) : "";
    progress.status(name, statusOf(state, log));
  }
}
