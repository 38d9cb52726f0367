import { App } from "cdktf";
import { catalog } from "./catalog";
import { environmentNamed } from "./environments";
import { withEngineOf } from "./environments/placement";
import { ensureSecrets } from "./environments/secrets";
import { declarePlatform } from "./stacks/platform";

const app = new App({ stackTraces: false });
const { DOCKER_HOST, GROUNDWORK_ENV, GROUNDWORK_WITHOUT } = process.env;
const environment = withEngineOf(DOCKER_HOST, environmentNamed(GROUNDWORK_ENV, GROUNDWORK_WITHOUT));
// Set where nothing is to be planned or deployed, which takes the secrets' paths alone.
if (process.env.GROUNDWORK_WITHOUT_SECRETS !== "confirmed") {
  ensureSecrets(environment, catalog.applications);
}
declarePlatform(app, environment, catalog, {
  // Set by `npm run down -- --volumes` alone.
  preventDestroy: process.env.GROUNDWORK_DESTROY_VOLUMES !== "confirmed",
});
app.synth();
