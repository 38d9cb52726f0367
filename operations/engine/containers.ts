import type { Environment } from "../../environments";
import { engineOf, enginesOf } from "../../environments/placement";
import { askEngine } from "./docker";

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

/** The states of those containers of an environment that exist. */
export async function inspectContainers(
  environment: Environment,
  names: readonly string[],
): Promise<ContainerState[]> {
  const states = await Promise.all(
    enginesOf(environment).map(async (engine) => {
      const there = names.filter((name) => engineOf(environment, name) === engine);
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
