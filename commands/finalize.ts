import { followContext } from "../operations/engine/context";
import { withLock } from "../operations/lock/lock";
import { Platform } from "../operations/platform/platform";
import { currentEnvironment } from "../operations/synthesis/environment";
import { confirm } from "../operations/terminal/confirm";
import {
  describeFinalization,
  finalizeAsPlanned,
  planFinalization,
} from "../operations/versions/finalize";

/** Raises Kafka's metadata.version to the newest that the brokers support, if requested or confirmed. */
export async function finalizeVersions({
  yes,
  forceUnlock,
}: Record<"yes" | "forceUnlock", boolean>): Promise<void> {
  const environment = await followContext(currentEnvironment());
  const platform = new Platform(environment);
  const finalization = await planFinalization(platform);
  if (finalization === undefined) {
    console.log("Kafka has finalized the newest metadata.version that its brokers support");
    return;
  }
  console.log(describeFinalization(finalization));
  if (!yes) {
    await confirm(
      environment.name,
      `This finalizes the version of Kafka of environment "${environment.name}"`,
      "finalize cannot be taken back and needs a confirmation, but standard input is not a terminal: add --yes",
    );
  }
  await withLock(environment, { command: "finalize", forceUnlock }, () =>
    finalizeAsPlanned(platform, finalization),
  );
  console.log(`metadata.version of Kafka is ${finalization.to}`);
}
