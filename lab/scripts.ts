import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import execa, { type ExecaError } from "execa";
import { openDisplay } from "../operations/progress/display";
import type { Display } from "../operations/progress/progress";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { CommandError } from "../operations/terminal/terminal";

/** Runs a script of the lab, shows its messages, and returns the last line of its output. Throws if it fails. */
export type RunLabScript = (name: string, ...args: readonly string[]) => Promise<string>;

/** Runs a script of the lab and prints its messages unchanged. */
export const runLabScript: RunLabScript = (name, ...args) =>
  run(name, args, (line) => process.stderr.write(`${line}\n`));

/** Shows the steps of scripts that run in parallel, with the time that each takes. */
export async function withSteps<Result>(
  work: (runScript: RunLabScript) => Promise<Result>,
): Promise<Result> {
  const display = await openDisplay(process.stderr);
  const steps = new Steps(display);
  const timer = setInterval(() => steps.draw(), 1000);
  try {
    return await work((name, ...args) => run(name, args, (line) => steps.tell(line)));
  } finally {
    clearInterval(timer);
    display.end();
  }
}

/** The messages of the function `step` in lab/lib.sh. */
const BEGUN = /^lab: (.*) \.\.\.$/;
const DONE = /^lab: (.*): done in (\d+)s$/;

/** Shows the steps of the lab's scripts, with the time that each takes. @internal */
export class Steps {
  private readonly begun = new Map<string, number>();

  constructor(
    private readonly display: Display,
    private readonly now = Date.now,
  ) {}

  tell(line: string): void {
    const [, begun] = BEGUN.exec(line) ?? [];
    const [, done, seconds] = DONE.exec(line) ?? [];
    if (begun) {
      this.begun.set(begun, this.now());
    } else if (done) {
      this.begun.delete(done);
      this.display.say(`${done}: ${seconds} s`);
    } else {
      this.display.say(line.replace(/^lab: /, ""));
    }
    this.draw();
  }

  draw(): void {
    const lines = [...this.begun].map(([step, since]) => ({
      step,
      text: `${step} ... ${Math.round((this.now() - since) / 1000)} s`,
    }));
    for (const { step, text } of lines) {
      this.display.remind(step, text);
    }
    this.display.draw(lines.map(({ text }) => text));
  }
}

async function run(
  name: string,
  args: readonly string[],
  tell: (line: string) => void,
): Promise<string> {
  const child = execa(join(PROJECT_ROOT, "lab", name), args, { stdin: "ignore" });
  let last = "";
  // Not every line is shown: the last one may be the result.
  createInterface(child.stdout as Readable).on("line", (line) => {
    last = line;
    if (line.startsWith("lab: ")) {
      tell(line);
    }
  });
  createInterface(child.stderr as Readable).on("line", tell);
  try {
    await child;
    return last;
  } catch (error) {
    const { exitCode, shortMessage } = error as ExecaError;
    throw new CommandError(
      exitCode === undefined ? shortMessage : `lab/${name} failed: its message is above`,
    );
  }
}
