import { rmSync } from "node:fs";
import { lab, labThree } from "../environments";
import { copyOfProject, editCopy } from "./copy";
import { bound, type Figure, ROUNDS, ratio, time } from "./figure";
import { runCdktf, runCdktfIn, runNpm } from "./run";

const DEPLOY = ["deploy", "*", "--auto-approve", "--skip-provider-lock"];

/** Measures the commands that users wait for, on a deployed platform without changes. */
export async function benchCommands(): Promise<Figure[]> {
  const seconds: Record<string, number[]> = {};
  const measure = async (name: string, work: () => Promise<unknown> | unknown) => {
    seconds[name] ??= [];
    seconds[name].push(await time(work));
  };
  for (let round = 0; round < ROUNDS; round++) {
    await measure("synth", () => runCdktf("synth"));
    await measure("ts-node", () => runCdktf("synth", "--app", "npx ts-node main.ts"));
    await measure("up", () => runNpm("up"));
    await measure("deploy", () => runCdktf(...DEPLOY));
    await measure("plan", () => runNpm("plan"));
    await measure("diff", () => diffEveryStack());
    await measure("preview", () => runNpm("preview"));
    await measure("two synths", async () => {
      await runCdktf("synth");
      await runCdktf("synth");
    });
    await measure("doctor", () => runNpm("doctor"));
    for (const machines of MACHINES) {
      await measure(`${machines} machines`, () => synthWithMachines(machines));
    }
  }
  const { synth, up, deploy, plan, diff, preview, doctor } = seconds;
  return [
    ratio("cdktf synth / the same under ts-node", synth, seconds["ts-node"], 0.6),
    ratio("up without changes / cdktf deploy", up, deploy, 0.8),
    ratio("plan / cdktf diff of every stack", plan, diff, 0.6),
    ratio("preview of one environment / two plain synths", preview, seconds["two synths"], 1.5),
    bound("doctor", doctor, 2),
    ...MACHINES.slice(1).map((machines) =>
      ratio(
        `synth with ${machines} machines / with ${MACHINES[0]}`,
        seconds[`${machines} machines`],
        seconds[`${MACHINES[0]} machines`],
        2,
      ),
    ),
  ];
}

/** The numbers of machines to compare. */
const MACHINES = [3, 9, 27] as const;

async function synthWithMachines(count: number): Promise<void> {
  const cwd = copyOfProject();
  const names = Array.from({ length: count }, (_, i) => `"m${i + 1}"`);
  editCopy(cwd, "lab/environments.ts", '["a", "b", "c"]', `[${names.join(", ")}]`);
  try {
    await runCdktfIn({ cwd, environment: labThree.name }, "synth");
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** Diffs every stack: cdktf diffs one per call. */
async function diffEveryStack(): Promise<void> {
  for (const layer of ["network", "storage", "data", "messaging", "observability"]) {
    await runCdktf("diff", `${lab.name}-${layer}`, "--skip-provider-lock");
  }
}

/** Measures `npm test` after a run that filled its caches. */
export async function benchTests(): Promise<Figure[]> {
  await runNpm("test");
  return [bound("npm test, warm", [await time(() => runNpm("test"))], 30)];
}
