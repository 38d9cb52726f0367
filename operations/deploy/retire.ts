import { type Environment, isSecured } from "../../environments";
import { secretsAreGiven } from "../../secrets/platform-secrets";
import { endRotations } from "../../secrets/rotation";

/** Takes the secrets out of use that the deployed platform does not know any more. Leaves a folder from GROUNDWORK_SECRETS alone. */
export function retireSecrets(environment: Environment): void {
  if (!isSecured(environment) || secretsAreGiven()) {
    return;
  }
  endRotations(environment);
}
