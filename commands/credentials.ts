import { credentialsOf } from "../operations/credentials/credentials";
import { type Format, RENDERERS } from "../operations/credentials/formats";
import { currentDeclarations } from "../operations/synthesis/environment";
import { ensureSecrets } from "../secrets/platform-secrets";

/** Prints an application's credentials for the clusters. */
export async function printCredentials(
  application: string | undefined,
  format: Format,
): Promise<void> {
  const [environment, { applications }] = currentDeclarations();
  await ensureSecrets(environment, applications);
  process.stdout.write(RENDERERS[format](credentialsOf(environment, applications, application)));
}
