import { engineAt, includedMachinesOf, isSameEngine } from "../../stacks/placement";
import { askEngine } from "../engine/docker";
import { type GoneEngine, goneEngine } from "./engines";
import type { Platform } from "./platform";

/** The part of `docker inspect` that a wait for a container uses. */
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

/** The end of a container. */
export interface End {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

/**
 * Returns the last end of each container by name, from the engines' events: the state of a restarted container does not have it. An
 * engine keeps only its last 256 events.
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

/** Exit code after SIGKILL. */
const KILLED = 137;
/** How far apart the engine may report the oom and die events of one kill, in either order. */
const APART_SECONDS = 5;

/** Returns the last end of every container from the lines of `docker events`. @internal */
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

/** The states of containers, and the engines that did not tell all of theirs. */
export interface Inspection {
  readonly states: readonly ContainerState[];
  readonly gone: readonly GoneEngine[];
}

/** Returns the states of the containers that exist, and the engines that stopped answering: of their containers nothing is known. */
export async function inspectContainers(
  platform: Platform,
  names: readonly string[],
): Promise<Inspection> {
  const inspections = await Promise.all(
    includedMachinesOf(platform.environment).map(async (machine): Promise<Inspection> => {
      const engine = engineAt(platform.environment, machine);
      const wanted = names.filter((name) => isSameEngine(platform.engineOf(name), engine));
      if (wanted.length === 0) {
        return { states: [], gone: [] };
      }
      const outcome = await askEngine(
        engine,
        ...["container", "inspect", "--format", "{{json .}}", ...wanted],
      );
      const lines = outcome.output.split("\n");
      const states = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
      // An engine names each container that does not exist.
      const missing = lines.filter((line) => /no such (container|object)/i.test(line));
      return outcome.exitCode !== 0 && states.length + missing.length < wanted.length
        ? { states: [], gone: [goneEngine(engine, machine, outcome)] }
        : { states, gone: [] };
    }),
  );
  return {
    states: inspections.flatMap(({ states }) => states),
    gone: inspections.flatMap(({ gone }) => gone),
  };
}
