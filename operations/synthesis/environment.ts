import { all } from "../../constructs/container/validation";
import {
  type Environment,
  environmentNamed,
  environments,
  withCurrentNames,
} from "../../environments";
import { environments as labEnvironments } from "../../lab/environments";
import type { Catalog } from "../../stacks/platform";

/** All environments by name: those of environments/ and those of the lab. */
export const knownEnvironments = withCurrentNames({ ...environments, ...labEnvironments });

/** Returns the path of the file that declares an environment, for messages. */
export function fileOf(environment: string): string {
  return Object.hasOwn(labEnvironments, environment)
    ? "lab/environments.ts"
    : `environments/${environment}.ts`;
}

/** Returns the catalog. Loads it on demand, since one of its files may be invalid. */
export function declaredCatalog(): Catalog {
  return (require("../../catalog") as typeof import("../../catalog")).catalog;
}

/** Returns the environment that GROUNDWORK_ENV names, without excluded machines, and the catalog. Throws the errors of both together. */
export function currentDeclarations(
  name = process.env.GROUNDWORK_ENV,
  excludedMachines?: string,
): [Environment, Catalog] {
  return all(() => environmentNamed(knownEnvironments, name, excludedMachines), declaredCatalog);
}

/** Returns only the environment, which loads no constructs. */
export function currentEnvironment(
  name = process.env.GROUNDWORK_ENV,
  excludedMachines?: string,
): Environment {
  try {
    return environmentNamed(knownEnvironments, name, excludedMachines);
  } catch {
    // Reports the errors of the catalog, too.
    return currentDeclarations(name, excludedMachines)[0];
  }
}
