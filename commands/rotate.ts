import { followContext } from "../operations/engine/context";
import { rotate } from "../operations/rotation/rotate";
import { currentDeclarations } from "../operations/synthesis/environment";

/** Replaces the CA, the certificates or an application's password, and deploys. */
export async function rotateSecrets(
  target: string | undefined,
  options: { readonly atOnce: boolean; readonly excludeMachine?: string },
): Promise<void> {
  const [environment, { applications }] = currentDeclarations(
    process.env.GROUNDWORK_ENV,
    options.excludeMachine,
  );
  await rotate(await followContext(environment), applications, target, { atOnce: options.atOnce });
}
