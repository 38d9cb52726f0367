import { followContext } from "../operations/engine/context";
import { rotate } from "../operations/rotation/rotate";
import { currentDeclarations } from "../operations/synthesis/environment";

/** Replaces the CA, the certificates or an application's password, and deploys. */
export async function rotateSecrets(target: string | undefined): Promise<void> {
  const [environment, { applications }] = currentDeclarations();
  await rotate(await followContext(environment), applications, target);
}
