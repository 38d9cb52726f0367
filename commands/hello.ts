import { followContext } from "../operations/engine/context";
import { sayHello } from "../operations/hello/hello";
import { Platform } from "../operations/platform/platform";
import { currentDeclarations } from "../operations/synthesis/environment";
import { ensureSecrets } from "../secrets/platform-secrets";

/** Uses the deployed platform as an application does, and prints how. */
export async function hello(application: string | undefined): Promise<void> {
  const [environment, catalog] = currentDeclarations();
  await ensureSecrets(environment, catalog.applications);
  const platform = new Platform(await followContext(environment));
  await sayHello(platform, catalog, { application, print: console.log });
}
