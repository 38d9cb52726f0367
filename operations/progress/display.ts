import type { Display } from "./progress";

/** How long a pipe or a CI's log hears nothing of what is still at work. */
const REMIND_MS = 10_000;

/** Redraws on a terminal, writes plain lines elsewhere. */
export async function openDisplay(output: NodeJS.WriteStream = process.stdout): Promise<Display> {
  return output.isTTY && !process.env.CI && process.env.TERM !== "dumb"
    ? liveDisplay(output)
    : plainDisplay((line) => output.write(`${line}\n`));
}

async function liveDisplay(output: NodeJS.WriteStream): Promise<Display> {
  const { createLogUpdate } = await import("log-update");
  const region = createLogUpdate(output);
  let lines: readonly string[] = [];
  // One line each: what is wrapped could not be counted.
  const draw = () =>
    region(lines.map((line) => `  ${line}`.slice(0, (output.columns || 80) - 1)).join("\n"));
  return {
    say(text) {
      region.clear();
      output.write(`  ${text}\n`);
      draw();
    },
    draw(now) {
      lines = now;
      draw();
    },
    remind: () => undefined,
    end() {
      region.clear();
      region.done();
    },
  };
}

/** Every line says by itself what it is about, since other stages' lines come between. @internal */
export function plainDisplay(write: (line: string) => void, now = Date.now): Display {
  const told = new Map<string, number>();
  return {
    say: (text) => write(`  ${text}`),
    draw: () => undefined,
    remind(subject, text) {
      if (now() - (told.get(subject) ?? Number.NEGATIVE_INFINITY) >= REMIND_MS) {
        told.set(subject, now());
        write(`  ${text}`);
      }
    },
    end: () => undefined,
  };
}
