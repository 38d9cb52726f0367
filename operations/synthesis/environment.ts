import { all } from "../../constructs/container/validation";
import { type Environment, environmentNamed } from "../../environments";
import type { Catalog } from "../../stacks/platform";

/** The catalog. Loaded when it is asked for, since one of its files may be what is wrong. */
export function declaredCatalog(): Catalog {
  return (require("../../catalog") as typeof import("../../catalog")).catalog;
}

/** The environment that GROUNDWORK_ENV names, without machines that are gone, and the catalog; or all that is wrong with both. */
export function currentDeclarations(
  name = process.env.GROUNDWORK_ENV,
  excludedMachines?: string,
): [Environment, Catalog] {
  return all(() => environmentNamed(name, excludedMachines), declaredCatalog);
}

/** The environment alone, which loads no construct. */
export function currentEnvironment(
  name = process.env.GROUNDWORK_ENV,
  excludedMachines?: string,
): Environment {
  try {
    return environmentNamed(name, excludedMachines);
  } catch {
    // Together with what is wrong in the catalog.
    return currentDeclarations(name, excludedMachines)[0];
  }
}
