import { benchTests } from "../lab/bench/commands";
import { benchCompose } from "../lab/bench/deploy";
import { type Figure, figureTable } from "../lab/bench/figure";
import { benchMachines } from "../lab/bench/machines";
import { benchPlatform } from "../lab/bench/platform";
import { benchSecured } from "../lab/bench/secured";
import { labSecured } from "../lab/environments";
import { prepareLab } from "../lab/prepare";
import { CommandError } from "../operations/terminal/terminal";

const PARTS: Readonly<Record<string, () => Promise<Figure[]>>> = {
  tests: benchTests,
  compose: benchCompose,
  platform: benchPlatform,
  secured: benchSecured,
  machines: benchMachines,
};

/** Runs the benchmark in the lab. Each figure is a ratio or a bound within one run. */
export async function bench(
  parts: readonly string[],
  { yes }: { readonly yes: boolean },
): Promise<void> {
  const unknown = parts.find((part) => !Object.hasOwn(PARTS, part));
  if (unknown !== undefined) {
    throw new CommandError(
      `unknown part "${unknown}" of the benchmark: allowed are ${Object.keys(PARTS).join(", ")}`,
    );
  }
  await prepareLab({ fresh: true, yes, environment: labSecured });
  const figures: Figure[] = [];
  for (const part of parts.length > 0 ? parts : Object.keys(PARTS)) {
    const measured = await PARTS[part]();
    // Printed now, since the next part takes minutes and may fail.
    console.log(`\n${figureTable(measured)}`);
    figures.push(...measured);
  }
  const missed = figures.filter(({ met }) => !met);
  if (missed.length > 0) {
    throw new CommandError(`the benchmark missed ${missed.length} of ${figures.length} targets`);
  }
}
