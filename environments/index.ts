// Not the whole of the constructs, which load CDKTF: a command that only asks for an environment is quick.
import { ValidationError } from "../constructs/service/validation";
import type { Environment } from "./environment";
import { lab } from "./lab";
import { laptop } from "./laptop";
import { production } from "./production";

export type {
  Environment,
  NetworkSettings,
  ObservabilityService,
  StateBackend,
} from "./environment";

export const environments: Readonly<Record<string, Environment>> = { laptop, lab, production };

/** The environment of that name; the laptop when none is named. */
export function environmentNamed(name = laptop.name): Environment {
  const environment = Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (!environment) {
    throw new ValidationError(
      `GROUNDWORK_ENV is "${name}": allowed are ${Object.keys(environments).join(", ")}; leave it unset for ${laptop.name}`,
    );
  }
  return environment;
}
