import type { Display } from "./progress";

/** Interval of reminders in a pipe or a CI log. */
const REMIND_MS = 10_000;

/** Opens a display that redraws on a terminal, and writes plain lines elsewhere. */
export async function openDisplay(output: NodeJS.WriteStream = process.stdout): Promise<Display> {
  return output.isTTY && !process.env.CI && process.env.TERM !== "dumb"
    ? liveDisplay(output)
    : plainDisplay((line) => output.write(`${line}\n`));
}

async function liveDisplay(output: NodeJS.WriteStream): Promise<Display> {
  const { createLogUpdate } = await import("log-update");
  const region = createLogUpdate(output);
  let lines: readonly string[] = [];
  // One line each: lines that the terminal wraps cannot be counted.
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

/** Writes plain lines. Each names its subject, since lines of other stages come between. @internal */
export function plainDisplay(write: (line: string) => void, now = Date.now): Display {
  const reminded = new Map<string, number>();
  return {
    say: (text) => write(`  ${text}`),
    draw: () => undefined,
    remind(subject, text) {
      if (now() - (reminded.get(subject) ?? Number.NEGATIVE_INFINITY) >= REMIND_MS) {
        reminded.set(subject, now());
        write(`  ${text}`);
      }
    },
    end: () => undefined,
  };
}
