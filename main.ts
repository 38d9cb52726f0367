import { App } from "cdktf";
import { catalog } from "./catalog";
import { environmentNamed } from "./environments";
import { declarePlatform } from "./stacks/platform";

const app = new App({ stackTraces: false });
declarePlatform(app, environmentNamed(process.env.GROUNDWORK_ENV), catalog, {
  // Set by `npm run down -- --volumes` alone.
  preventDestroy: process.env.GROUNDWORK_DESTROY_VOLUMES !== "confirmed",
});
app.synth();
