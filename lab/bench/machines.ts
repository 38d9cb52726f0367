import { rmSync } from "node:fs";
import { lab, labThree } from "../environments";
import { prepareLab, stopMachines } from "../prepare";
import { copyOfProject, editCopy } from "./copy";
import { timeUp } from "./deploy";
import { type Figure, ROUNDS, ratio } from "./figure";
import { runNpm } from "./run";

/** Measures a first deploy and a rolling change of both clusters, alternating between three machines and one, always without data. */
export async function benchMachines(): Promise<Figure[]> {
  await prepareLab({ fresh: true, yes: true, environment: labThree });
  const ready: Record<string, number[]> = { [lab.name]: [], [labThree.name]: [] };
  const rolled: Record<string, number[]> = { [lab.name]: [], [labThree.name]: [] };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const environment of [lab.name, labThree.name]) {
        // In the copy, every node has more memory, so the second deploy rolls all of them.
        const cwd = copyOfProject();
        editCopy(cwd, "lab/environments.ts", 'name: "lab",', 'name: "lab",\n  memoryScale: 0.6,');
        try {
          ready[environment].push(await timeUp({ environment }));
          rolled[environment].push(await timeUp({ environment, cwd }));
          await runNpm("down", { environment, cwd, args: ["--volumes", "--yes"] });
        } finally {
          rmSync(cwd, { recursive: true });
        }
      }
    }
  } finally {
    await stopMachines();
  }
  const compared = (what: string, seconds: Record<string, number[]>) =>
    ratio(`three machines / one: ${what}`, seconds[labThree.name], seconds[lab.name], 1.5);
  return [
    compared("first deploy to ready", ready),
    compared("rolling change of every node of both clusters", rolled),
  ];
}
