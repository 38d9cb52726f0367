import type { Environment, Machine } from "../../environments";
import { engineAt, includedMachinesOf, machinesOf } from "../../stacks/placement";
import { containerOfVolume } from "../../stacks/storage-stack";
import { askEngine, type Outcome, tryDockerAt } from "../engine/docker";
import { resourcesByEngine, synthesizeProject } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import { MEASURING_LABEL, type Measure, measure, removeLeftOverMeasures } from "./measure";

/** A volume on the Docker engine of a machine. */
export interface VolumeOnMachine extends Partial<Measure> {
  readonly name: string;
  /** @default - the environment has one machine */
  readonly machine?: string;
  /** The container whose data it has. It may exist no more. */
  readonly container: string;
  /** Whether the environment declares the volume on this machine. */
  readonly declared: boolean;
  /** Another machine, if the environment declares the volume there and not here. */
  readonly declaredOn?: string;
  /** Names of the containers that mount it, also of stopped ones. */
  readonly mountedBy: readonly string[];
  /** Whether nothing that is declared or exists needs it. */
  readonly orphan: boolean;
}

/** The volumes of an environment. */
export interface Listing {
  readonly volumes: readonly VolumeOnMachine[];
  /** Why the volumes of an engine, or their sizes, are not known. */
  readonly problems: readonly string[];
}

/** The volumes that an environment declares on a machine. */
interface Place {
  readonly machine?: Machine;
  readonly declared: readonly string[];
}

/** Lists the volumes on every machine that is not excluded. Changes nothing. */
export async function listVolumes(environment: Environment): Promise<Listing> {
  const resourcesOn = resourcesByEngine(environment, await synthesizeProject(environment));
  const places = machinesOf(environment).map((machine) => ({
    machine,
    declared: resourcesOn(engineAt(environment, machine))
      .filter(({ type }) => type === "docker_volume")
      .map(({ body }) => String(body.name)),
  }));
  const lists = await Promise.all(
    places
      .filter(({ machine }) => includedMachinesOf(environment).includes(machine))
      .map((place) => listOn(environment, place, places)),
  );
  return {
    volumes: lists.flatMap(({ volumes }) => volumes),
    problems: lists.flatMap(({ problems }) => problems),
  };
}

async function listOn(
  environment: Environment,
  { machine, declared }: Place,
  places: readonly Place[],
): Promise<Listing> {
  const engine = engineAt(environment, machine);
  const label = '{{.Label "groundwork.environment"}}';
  await removeLeftOverMeasures(engine);
  const [existing, containers, measuring] = await Promise.all([
    askEngine(engine, "volume", "ls", "--format", `{{.Name}}\t${label}`),
    askEngine(engine, "ps", "--all", "--no-trunc", "--format", "{{.Names}}\t{{.Mounts}}"),
    askEngine(
      engine,
      ...["ps", "--all", "--filter", `label=${MEASURING_LABEL}`, "--format", "{{.Names}}"],
    ),
  ]);
  const on = machine ? `machine ${machine.name}: ` : "";
  const failed = [existing, containers, measuring].find(({ exitCode }) => exitCode !== 0);
  if (failed) {
    const cause = failed.output.split("\n").at(-1);
    return { volumes: [], problems: [`${on}the Docker engine does not answer: ${cause}`] };
  }
  const names = tuplesIn(existing)
    // A volume that was copied from another machine has no label.
    .filter(
      ([name, owner]) => owner === environment.name || (owner === "" && declared.includes(name)),
    )
    .map(([name]) => name)
    .sort();
  const ignored = tuplesIn(measuring).map(([name]) => name);
  const mounts = tuplesIn(containers).filter(([name]) => !ignored.includes(name));
  const { measures, problem } = await measure(engine, names);
  return {
    volumes: names.map((name) => {
      const mountedBy = mounts
        .filter(([, mounted]) => mounted.split(",").includes(name))
        .map(([container]) => container)
        .sort();
      const isDeclared = declared.includes(name);
      return {
        name,
        machine: machine?.name,
        container: containerOfVolume(name),
        declared: isDeclared,
        declaredOn: isDeclared
          ? undefined
          : places.find((place) => place.declared.includes(name))?.machine?.name,
        mountedBy,
        orphan: !isDeclared && mountedBy.length === 0,
        ...measures.get(name),
      };
    }),
    problems: problem === undefined ? [] : [`${on}${problem}`],
  };
}

function tuplesIn({ output }: Outcome): string[][] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [first, second = ""] = line.split("\t");
      return [first, second];
    });
}

/** Removes a volume with its data. The engine refuses if a container mounts it. Throws the engine's message. */
export async function removeVolume(
  environment: Environment,
  { name, machine }: VolumeOnMachine,
): Promise<void> {
  const place = machinesOf(environment).find((one) => one?.name === machine);
  const { exitCode, output } = await tryDockerAt(
    engineAt(environment, place),
    ...["volume", "rm", name],
  );
  if (exitCode !== 0) {
    throw new CommandError(output.split("\n").at(-1));
  }
}
