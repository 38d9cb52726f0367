import { App } from "cdktf";
import { all, ValidationError } from "./constructs/service/validation";
import { environmentNamed } from "./environments";
import { withEngineOf } from "./environments/placement";
import { ensureSecrets } from "./environments/secrets";
import { declarePlatform } from "./stacks/platform";

function main(): void {
  const app = new App({ stackTraces: false });
  const { DOCKER_HOST, GROUNDWORK_ENV, GROUNDWORK_WITHOUT } = process.env;
  const [environment, { catalog }] = all(
    () => withEngineOf(DOCKER_HOST, environmentNamed(GROUNDWORK_ENV, GROUNDWORK_WITHOUT)),
    // Here, since a file of the catalog may be what is wrong.
    () => require("./catalog") as typeof import("./catalog"),
  );
  // Set where nothing is to be planned or deployed, which takes the secrets' paths alone.
  if (process.env.GROUNDWORK_WITHOUT_SECRETS !== "confirmed") {
    ensureSecrets(environment, catalog.applications);
  }
  declarePlatform(app, environment, catalog, {
    // Set by `npm run down -- --volumes` alone.
    preventDestroy: process.env.GROUNDWORK_DESTROY_VOLUMES !== "confirmed",
  });
  app.synth();
}

try {
  main();
} catch (error) {
  // cdktf shows what the app says; a wrong declaration says all that one needs.
  if (require.main !== module || !(error instanceof ValidationError)) {
    throw error;
  }
  console.error(error.message.replaceAll(`${__dirname}/`, ""));
  process.exitCode = 1;
}
