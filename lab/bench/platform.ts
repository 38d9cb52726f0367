import { destroyPlatform } from "../../operations/deploy/destroy";
import { lab } from "../environments";
import { runLabScript } from "../scripts";
import { benchCommands } from "./commands";
import { benchDeploy } from "./deploy";
import type { Figure } from "./figure";
import { benchSidecars } from "./sidecars";
import { benchTemplates } from "./templates";

/** Measures the plaintext lab. The first benchmark deploys it, and the others use its clusters. */
export async function benchPlatform(): Promise<Figure[]> {
  await runLabScript("compose.sh");
  const figures: Figure[] = [];
  for (const bench of [benchDeploy, benchCommands, benchSidecars, benchTemplates]) {
    figures.push(...(await bench()));
  }
  await destroyPlatform(lab, { volumes: true });
  return figures;
}
