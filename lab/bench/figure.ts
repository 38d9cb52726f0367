import { table } from "../../operations/terminal/terminal";

/** A measurement and its target. */
export interface Figure {
  readonly name: string;
  readonly measured: string;
  readonly target: string;
  readonly met: boolean;
}

/** How often each of two alternatives is measured, in turn. */
export const ROUNDS = 3;

/** Returns the seconds that the work takes. */
export async function time(work: () => Promise<unknown> | unknown): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Compares the medians of two series of seconds that were measured in turn. */
export function ratio(
  name: string,
  own: readonly number[],
  other: readonly number[],
  atMost: number,
): Figure {
  const [ours, theirs] = [median(own), median(other)];
  return {
    name,
    measured: `${(ours / theirs).toFixed(2)} (${ours.toFixed(1)} s / ${theirs.toFixed(1)} s)`,
    target: `at most ${atMost}`,
    met: ours / theirs <= atMost,
  };
}

/** Compares the median of a series of seconds with an upper bound. */
export function bound(name: string, values: readonly number[], under: number): Figure {
  return {
    name,
    measured: `${median(values).toFixed(1)} s`,
    target: `under ${under} s`,
    met: median(values) < under,
  };
}

export function figureTable(figures: readonly Figure[]): string {
  return table([
    ["what", "measured", "target", "met"],
    ...figures.map(({ name, measured, target, met }) => [
      ...[name, measured, target],
      met ? "yes" : "NO",
    ]),
  ]);
}
