// The app of cdktf.json: synthesizes the environment that the variables name.
import { ValidationError } from "./constructs/container/validation";
import { currentDeclarations } from "./operations/synthesis/environment";
import { withEngine } from "./stacks/placement";
import { synthesizePlatform } from "./stacks/platform";

async function main(): Promise<void> {
  const { DOCKER_HOST, GROUNDWORK_ENV, GROUNDWORK_WITHOUT_SECRETS } = process.env;
  const [environment, catalog] = currentDeclarations(GROUNDWORK_ENV);
  const engine = DOCKER_HOST ? { host: DOCKER_HOST } : undefined;
  await synthesizePlatform(withEngine(environment, engine), catalog, {
    // Set to look at what is synthesized, which takes no more than the secrets' paths.
    secrets: GROUNDWORK_WITHOUT_SECRETS !== "confirmed",
  });
}

main().catch((error) => {
  // cdktf shows what the app prints. A wrong declaration is described by its message alone.
  const isDeclared = error instanceof ValidationError;
  console.error(isDeclared ? error.message.replaceAll(`${__dirname}/`, "") : error);
  process.exitCode = 1;
});
