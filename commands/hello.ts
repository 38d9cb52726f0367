import { describeForeignCa } from "../operations/deploy/foreign-ca";
import { followContext } from "../operations/engine/context";
import { sayHello } from "../operations/hello/hello";
import { Platform } from "../operations/platform/platform";
import { currentDeclarations } from "../operations/synthesis/environment";
import { refuse } from "../operations/terminal/terminal";
import { missingSecrets } from "../secrets/platform-secrets";

/** Uses the deployed platform as an application does, and prints how. Writes no secrets. Throws if they are missing or another platform's. */
export async function hello(application: string | undefined): Promise<void> {
  const [declared, catalog] = currentDeclarations();
  const environment = await followContext(declared);
  refuse(
    missingSecrets(environment, catalog.applications).map(
      (what) => `${what}, and npm run hello writes no secrets: run npm run up first`,
    ),
  );
  const platform = new Platform(environment);
  refuse(await describeForeignCa(platform));
  await sayHello(platform, catalog, { application, print: console.log });
}
