import { isSameEngine } from "../../stacks/placement";
import { askEngine } from "../engine/docker";
import type { Platform } from "./platform";

/** What `docker inspect` says of a container, as far as a wait for it is concerned. */
export interface ContainerState {
  readonly Name: string;
  readonly RestartCount: number;
  readonly HostConfig: { readonly MemoryReservation: number };
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Health?: {
      readonly Status: string;
      readonly Log: readonly { readonly ExitCode: number; readonly Output: string }[] | null;
    };
  };
  readonly Config: { readonly Healthcheck?: { readonly Test: readonly string[] } };
}

/** How a container ended. */
export interface End {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

/**
 * How the containers of the platform ended last, by name, as far as their engines know: of one that runs again its state does not say so,
 * and an engine keeps no more than its last 256 events.
 */
export async function lastEnds(platform: Platform): Promise<ReadonlyMap<string, End>> {
  const answers = await Promise.all(
    platform.engines.map(async (engine) => {
      const { output: now } = await askEngine(engine, "info", "--format", "{{.SystemTime}}");
      return askEngine(
        engine,
        ...["events", "--since", "0", "--until", now, "--format", "{{json .}}"],
        ...["--filter", "event=die", "--filter", "event=oom"],
        ...["--filter", `label=groundwork.environment=${platform.environment.name}`],
      );
    }),
  );
  return endsIn(answers.flatMap(({ output }) => output.split("\n")));
}

/** SIGKILL's, as a shell counts. */
const KILLED = 137;
/** How far apart the engine may tell of a kill by the kernel and of the end that it was, in either order. */
const APART_SECONDS = 5;

/** The last end of every container in lines of `docker events`. @internal */
export function endsIn(lines: readonly string[]): ReadonlyMap<string, End> {
  const events = lines
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .map(({ Action, Actor, time }) => ({ Action, time, ...Actor.Attributes }));
  const kills = events.filter(({ Action }) => Action === "oom");
  return new Map(
    events
      .filter(({ Action }) => Action === "die")
      .map(({ name, time, exitCode }) => [
        name,
        {
          exitCode: Number(exitCode),
          oomKilled:
            Number(exitCode) === KILLED &&
            kills.some((kill) => kill.name === name && Math.abs(kill.time - time) <= APART_SECONDS),
        },
      ]),
  );
}

/** The states of those containers that exist. */
export async function inspectContainers(
  platform: Platform,
  names: readonly string[],
): Promise<ContainerState[]> {
  const states = await Promise.all(
    platform.engines.map(async (engine) => {
      const there = names.filter((name) => isSameEngine(platform.engineOf(name), engine));
      if (there.length === 0) {
        return [];
      }
      // It prints what it finds, and names on stderr what it does not.
      const { output } = await askEngine(
        engine,
        ...["container", "inspect", "--format", "{{json .}}", ...there],
      );
      return output
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line));
    }),
  );
  return states.flat();
}
