import { followContext } from "../operations/engine/context";
import { withLock } from "../operations/lock/lock";
import { checkTarget, type RotateOptions, rotate } from "../operations/rotation/rotate";
import { currentDeclarations } from "../operations/synthesis/environment";

/** Replaces the CA, the certificates or an application's password, and deploys. */
export async function rotateSecrets(
  target: string | undefined,
  options: Required<Omit<RotateOptions, "stillHeld">> & {
    readonly excludeMachine?: string;
    readonly forceUnlock: boolean;
  },
): Promise<void> {
  const { excludeMachine, forceUnlock, ...others } = options;
  const [declared, { applications }] = currentDeclarations(
    process.env.GROUNDWORK_ENV,
    excludeMachine,
  );
  // Before the lock, which needs an engine.
  checkTarget(declared, applications, target, others);
  const environment = await followContext(declared);
  await withLock(environment, { command: "rotate", forceUnlock }, (stillHeld) =>
    rotate(environment, applications, target, { ...others, stillHeld }),
  );
}
