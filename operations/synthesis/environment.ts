import { ValidationError } from "../../constructs/service/validation";
import { type Environment, environmentNamed } from "../../environments";
import { CommandError } from "../terminal/terminal";

/** The environment that GROUNDWORK_ENV names, without machines that are gone. */
export function currentEnvironment(
  name = process.env.GROUNDWORK_ENV,
  without?: string,
): Environment {
  try {
    return environmentNamed(name, without);
  } catch (error) {
    throw error instanceof ValidationError ? new CommandError(error.message) : error;
  }
}
