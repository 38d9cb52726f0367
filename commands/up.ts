import { deployPlatform } from "../operations/deploy/deploy";
import { followContext } from "../operations/engine/context";
import { withLock } from "../operations/lock/lock";
import { currentEnvironment } from "../operations/synthesis/environment";

/** Deploys the platform and checks every guarantee. Throws if one does not hold. */
export async function up(options: {
  readonly atOnce: boolean;
  readonly allowDataLoss?: boolean;
  readonly forceUnlock?: boolean;
  readonly excludeMachine?: string;
  /** Deprecated name of excludeMachine. */
  readonly without?: string;
}): Promise<void> {
  if (options.without !== undefined) {
    console.warn("warning: --without is deprecated: use --exclude-machine");
  }
  const environment = await followContext(
    currentEnvironment(process.env.GROUNDWORK_ENV, options.excludeMachine ?? options.without),
  );
  const { atOnce, allowDataLoss, forceUnlock } = options;
  await withLock(environment, { command: "up", forceUnlock }, (stillHeld) =>
    deployPlatform(environment, { atOnce, allowDataLoss, stillHeld }),
  );
}
