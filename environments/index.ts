// Imports single files of constructs/: its index loads CDKTF, which slows down every command.
import { ValidationError } from "../constructs/container/validation";
import type { Environment } from "./environment";
import { laptop } from "./laptop";
import { production } from "./production";
import { small } from "./small";
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

export { isSecured, nodesOf, retentionIn, votersOf } from "./environment";

/** Environments by their names. */
export type Environments = Readonly<Record<string, Environment>>;

export const environments: Environments = { laptop, small, production };

/** Current names of properties by their deprecated names. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  without: "excludedServices",
  absent: "excludedMachines",
};

/**
 * Returns the environment with this name. Throws if it is unknown or invalid.
 *
 * @param excludedMachines Names of unavailable machines, separated by commas; empty keeps those of the environment.
 */
export function environmentNamed(
  known: Environments,
  name = laptop.name,
  excludedMachines = "",
): Environment {
  const environment = Object.hasOwn(known, name) ? known[name] : undefined;
  if (!environment) {
    throw new ValidationError(
      `GROUNDWORK_ENV is "${name}": allowed are ${Object.keys(known).join(", ")}; unset it to use ${laptop.name}`,
    );
  }
  const reduced = excludedMachines
    ? { ...environment, excludedMachines: excludedMachines.split(",") }
    : environment;
  validateEnvironment(name, reduced);
  return reduced;
}

/** Renames deprecated properties of environments, with a warning for each. */
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
      `warning: environment "${environment.name}" sets "${property}", which is deprecated: rename it to "${current}"`,
    );
    return [current, value];
  });
  return Object.fromEntries(properties);
}
