// The app of cdktf.json: synthesizes the environment that GROUNDWORK_ENV names.
import { ValidationError } from "./constructs/container/validation";
import { currentDeclarations } from "./operations/synthesis/environment";
import { withEngine } from "./stacks/placement";
import { synthesizePlatform } from "./stacks/platform";

async function main(): Promise<void> {
  const { DOCKER_HOST, GROUNDWORK_ENV, GROUNDWORK_WITHOUT_SECRETS } = process.env;
  const [environment, catalog] = currentDeclarations(GROUNDWORK_ENV);
  const engine = DOCKER_HOST ? { host: DOCKER_HOST } : undefined;
  await synthesizePlatform(withEngine(environment, engine), catalog, {
    // Set for synths that are not deployed: they contain only the paths of secrets.
    secrets: GROUNDWORK_WITHOUT_SECRETS !== "confirmed",
  });
}

main().catch((error) => {
  // cdktf prints this output. An invalid declaration needs no stack trace.
  const isDeclared = error instanceof ValidationError;
  console.error(isDeclared ? error.message.replaceAll(`${__dirname}/`, "") : error);
  process.exitCode = 1;
});
