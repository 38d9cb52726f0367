import { all } from "../../constructs/container/validation";
import {
  type Environment,
  environmentNamed,
  environments,
  withCurrentNames,
} from "../../environments";
import { environments as labEnvironments } from "../../lab/environments";
import type { Catalog } from "../../stacks/platform";

/** Every environment by its name: those of environments/ and those of the lab. */
export const knownEnvironments = withCurrentNames({ ...environments, ...labEnvironments });

/** The file that declares an environment, as messages name it. */
export function fileOf(environment: string): string {
  return Object.hasOwn(labEnvironments, environment)
    ? "lab/environments.ts"
    : `environments/${environment}.ts`;
}

/** The catalog. Loaded when it is asked for, since one of its files may be what is wrong. */
export function declaredCatalog(): Catalog {
  return (require("../../catalog") as typeof import("../../catalog")).catalog;
}

/** The environment that GROUNDWORK_ENV names, without machines that are gone, and the catalog; or all that is wrong with both. */
export function currentDeclarations(
  name = process.env.GROUNDWORK_ENV,
  excludedMachines?: string,
): [Environment, Catalog] {
  return all(() => environmentNamed(knownEnvironments, name, excludedMachines), declaredCatalog);
}

/** The environment alone, which loads no construct. */
export function currentEnvironment(
  name = process.env.GROUNDWORK_ENV,
  excludedMachines?: string,
): Environment {
  try {
    return environmentNamed(knownEnvironments, name, excludedMachines);
  } catch {
    // Together with what is wrong in the catalog.
    return currentDeclarations(name, excludedMachines)[0];
  }
}
