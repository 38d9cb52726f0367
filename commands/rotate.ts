import { followContext } from "../operations/engine/context";
import { type RotateOptions, rotate } from "../operations/rotation/rotate";
import { currentDeclarations } from "../operations/synthesis/environment";

/** Replaces the CA, the certificates or an application's password, and deploys. */
export async function rotateSecrets(
  target: string | undefined,
  options: Required<RotateOptions> & { readonly excludeMachine?: string },
): Promise<void> {
  const { excludeMachine, ...others } = options;
  const [environment, { applications }] = currentDeclarations(
    process.env.GROUNDWORK_ENV,
    excludeMachine,
  );
  await rotate(await followContext(environment), applications, target, others);
}
