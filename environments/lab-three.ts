import type { Environment } from "./environment";
import { lab } from "./lab";

/** The lab on three engines of one machine, each in a network namespace of its own. */
export const labThree = {
  ...lab,
  name: "lab-three",
  machines: ["a", "b", "c"].map((name, i) => ({
    name,
    engine: `unix:///run/groundwork-lab/${name}.sock`,
    address: `10.231.86.${11 + i}`,
  })),
  hostPorts: undefined,
} as const satisfies Environment;
