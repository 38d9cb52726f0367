// npm run bench: measures in the lab what the project promises, each figure a ratio or a bound within one run.
import { lab } from "../environments/lab";
import { labSecured } from "../environments/lab-secured";
import { prepareLab, runLabScript } from "../lab/prepare";
import { benchCommands, benchTests } from "../operations/bench/commands";
import { benchDeploy } from "../operations/bench/deploy";
import type { Figure } from "../operations/bench/figure";
import { benchMachines } from "../operations/bench/machines";
import { benchSecured } from "../operations/bench/secured";
import { benchSidecars } from "../operations/bench/sidecars";
import { benchTemplates } from "../operations/bench/templates";
import { destroyPlatform } from "../operations/deploy/destroy";
import { CommandError, parseOptions, runCommand, table } from "../operations/terminal/terminal";

/** In this order: the later ones work on the clusters that a deploy has left. */
const BENCHES: readonly (() => Promise<Figure[]>)[] = [
  benchTests,
  benchDeploy,
  benchCommands,
  benchSidecars,
  benchTemplates,
];

runCommand(async () => {
  const { yes } = parseOptions("yes");
  await prepareLab({ fresh: true, yes, environment: labSecured });
  await runLabScript("compose.sh");
  const figures: Figure[] = [];
  for (const bench of BENCHES) {
    figures.push(...(await bench()));
  }
  await destroyPlatform(lab, { volumes: true });
  figures.push(...(await benchSecured()), ...(await benchMachines()));
  const rows = figures.map(({ name, measured, target, met }) => [
    ...[name, measured, target],
    met ? "yes" : "NO",
  ]);
  console.log(`\n${table([["what", "measured", "target", "met"], ...rows])}`);
  const missed = figures.filter(({ met }) => !met);
  if (missed.length > 0) {
    throw new CommandError(`${missed.length} of ${figures.length} targets are not met`);
  }
});
