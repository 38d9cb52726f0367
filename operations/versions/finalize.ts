import type { Platform } from "../platform/platform";
import { poll } from "../terminal/poll";
import { CommandError } from "../terminal/terminal";
import { servingOf } from "./serving";
import { oneVersion } from "./versions";

/** How long a broker takes at most to learn what is finalized. */
const PATIENCE_MS = 60_000;

const INTERVAL_MS = 1000;

/** A raise of Kafka's `metadata.version`, which cannot be taken back. */
export interface Finalization {
  /** The broker that is asked. */
  readonly broker: string;
  /** The version that all brokers run. */
  readonly version: string;
  readonly from: string;
  readonly to: string;
  /** The number of `to`. */
  readonly level: number;
}

/**
 * Returns what finalizing would change, which Kafka has validated; undefined if the newest version is finalized already. Throws if a
 * broker does not answer, if brokers run different versions, or if Kafka would refuse.
 */
export async function planFinalization(platform: Platform): Promise<Finalization | undefined> {
  const { kafka } = platform;
  const brokers = platform.nodes("kafka");
  const serving = await servingOf(platform, "kafka");
  const versions = await kafka.versions(serving);
  const version = oneVersion(new Map(brokers.map((broker) => [broker, versions.get(broker)])));
  const [broker] = serving;
  const { finalized: from, supported: to } = await kafka.metadataVersion(broker);
  if (from === to) {
    return undefined;
  }
  const level = await kafka.metadataLevel(broker, to);
  await kafka.raiseMetadataVersion(broker, level, { isDryRun: true });
  return { broker, version, from, to, level };
}

/** Describes what `finalize` does. */
export function describeFinalization({ version, from, to, level }: Finalization): string {
  const [release] = to.split("-");
  return `metadata.version of Kafka: ${from} -> ${to} (level ${level}); all brokers run ${version}
Kafka accepts this change. No other feature changes, and no broker is replaced.
It cannot be taken back: afterwards no broker before version ${release} can join.`;
}

/** Describes what `finalize` would change now, with Kafka's answer to a dry run. Nothing if a broker does not answer. */
export async function describePendingFinalization(platform: Platform): Promise<string[]> {
  const serving = await servingOf(platform, "kafka");
  if (platform.nodes("kafka").some((broker) => !serving.includes(broker))) {
    return [];
  }
  try {
    const found = await planFinalization(platform);
    return found
      ? [
          `npm run finalize raises metadata.version of Kafka from ${found.from} to ${found.to}: Kafka accepts that. Until then, the previous image can come back`,
        ]
      : [];
  } catch (error) {
    if (error instanceof CommandError) {
      return [`npm run finalize: ${error.message}`];
    }
    throw error;
  }
}

/** Finalizes what was confirmed. Throws if another command has changed the brokers since, which may have gone back to an earlier version. */
export async function finalizeAsPlanned(
  platform: Platform,
  confirmed: Finalization,
): Promise<void> {
  const now = await planFinalization(platform);
  if (now?.from !== confirmed.from || now.to !== confirmed.to) {
    throw new CommandError(
      `no changes made: ${confirmed.from} -> ${confirmed.to} was confirmed, and by now ${now ? `it is ${now.from} -> ${now.to}` : "the newest metadata.version is finalized"}: run npm run finalize again`,
    );
  }
  await finalize(platform, now);
}

/** Raises `metadata.version` and waits until it is finalized. Nothing else changes. */
async function finalize({ kafka }: Platform, { broker, level, to }: Finalization): Promise<void> {
  await kafka.raiseMetadataVersion(broker, level, { isDryRun: false });
  const { finalized } = await poll(
    () => kafka.metadataVersion(broker),
    (seen) => seen.finalized === to,
    { intervalMs: INTERVAL_MS, patienceMs: PATIENCE_MS },
  );
  if (finalized !== to) {
    throw new CommandError(
      `Kafka accepted metadata.version ${to}, but ${broker} still has ${finalized}: run npm run versions to see whether that changes, and look at the log of ${broker}`,
    );
  }
}
