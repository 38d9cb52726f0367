import { destroyPlatform } from "../../operations/deploy/destroy";
import { lab } from "../environments";
import { benchCommands } from "./commands";
import type { Figure } from "./figure";
import { runNpm } from "./run";
import { benchSidecars } from "./sidecars";
import { benchTemplates } from "./templates";

/** Measures the plaintext lab. */
export async function benchPlatform(): Promise<Figure[]> {
  await runNpm("up");
  const figures: Figure[] = [];
  for (const bench of [benchCommands, benchSidecars, benchTemplates]) {
    figures.push(...(await bench()));
  }
  await destroyPlatform(lab, { volumes: true });
  return figures;
}
