// Not the whole of the constructs, which load CDKTF: a command that only asks for an environment is quick.
import { ValidationError } from "../constructs/container/validation";
import type { Environment } from "./environment";
import { laptop } from "./laptop";
import { production } from "./production";
import { validateEnvironment } from "./validate";

export type {
  ClusterName,
  EngineAddress,
  Environment,
  Machine,
  NetworkSettings,
  ObservabilityService,
  StateBackend,
} from "./environment";

export { isSecured, nodesOf } from "./environment";

/** Environments by their names. */
export type Environments = Readonly<Record<string, Environment>>;

export const environments: Environments = { laptop, production };

/** Today's names of properties by their former ones, which are deprecated. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  without: "excludedServices",
  absent: "excludedMachines",
};

/** The environment of that name, the laptop when none is named; without machines that are gone, separated by commas. */
export function environmentNamed(
  known: Environments,
  name = laptop.name,
  excludedMachines = "",
): Environment {
  const environment = Object.hasOwn(known, name) ? known[name] : undefined;
  if (!environment) {
    throw new ValidationError(
      `GROUNDWORK_ENV is "${name}": allowed are ${Object.keys(known).join(", ")}; leave it unset for ${laptop.name}`,
    );
  }
  const reduced = excludedMachines
    ? { ...environment, excludedMachines: excludedMachines.split(",") }
    : environment;
  validateEnvironment(name, reduced);
  return reduced;
}

/** Renames the properties of environments that have a former name, with a warning for each. */
export function withCurrentNames(declared: Environments): Environments {
  return Object.fromEntries(
    Object.entries(declared).map(([name, environment]) => [name, renamed(environment)]),
  );
}

function renamed(environment: Environment): Environment {
  const properties = Object.entries(environment).map(([property, value]) => {
    const current = Object.hasOwn(FORMER_NAMES, property) ? FORMER_NAMES[property] : property;
    if (current === property || Object.hasOwn(environment, current)) {
      return [property, value];
    }
    console.warn(
      `warning: environment "${environment.name}" has "${property}", which is deprecated: rename it to ${current}`,
    );
    return [current, value];
  });
  return Object.fromEntries(properties);
}
