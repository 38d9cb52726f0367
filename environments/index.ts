// Not the whole of the constructs, which load CDKTF: a command that only asks for an environment is quick.
import { ValidationError } from "../constructs/container/validation";
import type { Environment } from "./environment";
import { lab } from "./lab";
import { labSecured } from "./lab-secured";
import { labThree } from "./lab-three";
import { labThreeSecured } from "./lab-three-secured";
import { laptop } from "./laptop";
import { production } from "./production";
import { validateEnvironment } from "./validate";

export type {
  EngineAddress,
  Environment,
  Machine,
  NetworkSettings,
  ObservabilityService,
  StateBackend,
} from "./environment";

export { isSecured } from "./environment";

export const environments: Readonly<Record<string, Environment>> = {
  laptop,
  lab,
  "lab-secured": labSecured,
  "lab-three": labThree,
  "lab-three-secured": labThreeSecured,
  production,
};

/** The environment of that name, the laptop when none is named; without machines that are gone, separated by commas. */
export function environmentNamed(name = laptop.name, without = ""): Environment {
  const environment = Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (!environment) {
    throw new ValidationError(
      `GROUNDWORK_ENV is "${name}": allowed are ${Object.keys(environments).join(", ")}; leave it unset for ${laptop.name}`,
    );
  }
  const reduced = without ? { ...environment, absent: without.split(",") } : environment;
  validateEnvironment(name, reduced);
  return reduced;
}
