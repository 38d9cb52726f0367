import { setTimeout } from "node:timers/promises";
import { lastLines, tryDocker } from "../docker";
import type { Progress } from "./progress";
import { type ContainerState, statusOf } from "./status";

const INTERVAL_MS = 1000;

/** Has the engine say what the containers are at that a deploy waits for, for as long as `work` takes. */
export async function watchWhile<T>(progress: Progress, work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      await setTimeout(INTERVAL_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      // One that fails, such as when Ctrl-C ends the docker command too, is a picture less; the work goes on.
      await look(progress).catch(() => undefined);
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

async function look(progress: Progress): Promise<void> {
  const names = progress.waitedFor();
  const states = names.length > 0 ? await inspectContainers(names) : [];
  for (const state of states) {
    const name = state.Name.slice(1);
    const speaks = !state.State.Health || state.RestartCount > 0;
    const log = speaks ? await lastLines(name, 1) : "";
    progress.status(name, statusOf(state, log));
  }
}

/** The states of those containers that exist. */
export async function inspectContainers(names: readonly string[]): Promise<ContainerState[]> {
  // It prints what it finds, and names on stderr what it does not.
  const { output } = await tryDocker("container", "inspect", "--format", "{{json .}}", ...names);
  return output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}
