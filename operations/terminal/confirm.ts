import { createInterface } from "node:readline/promises";
import { CommandError, InterruptedError } from "./terminal";

/**
 * Asks for the environment's name. Throws if another answer is given, and InterruptedError after Ctrl-C or Ctrl-D, with `state` as what has
 * happened until then. Also throws if standard input is not a terminal: `otherwise` says what to do.
 */
export async function confirm(
  name: string,
  consequence: string,
  otherwise: string,
  state = "no changes made",
): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError(otherwise);
  }
  const answer = await ask(`${consequence}. Type the environment's name to continue: `);
  if (answer === undefined) {
    throw new InterruptedError(`interrupted: ${state}`);
  }
  if (answer !== name) {
    throw new CommandError(`the name is "${name}", not "${answer}": ${state}`);
  }
}

/** Returns what the user types. Undefined after Ctrl-C or Ctrl-D, which close the interface and, in newer versions of Node, abort the question. */
async function ask(question: string): Promise<string | undefined> {
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new Promise<undefined>((resolve) =>
    prompt.once("close", () => resolve(undefined)),
  );
  try {
    return await Promise.race([prompt.question(question), closed]);
  } catch (error) {
    if ((error as Error).name === "AbortError") {
      return undefined;
    }
    throw error;
  } finally {
    prompt.close();
  }
}
