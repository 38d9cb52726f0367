import { createInterface } from "node:readline/promises";
import { CommandError } from "./terminal";

/** Asks for the environment's name. Throws if another answer is given, or if standard input is not a terminal: `otherwise` says what to do. */
export async function confirm(name: string, consequence: string, otherwise: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError(otherwise);
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(`${consequence}. Type the environment's name to continue: `);
  prompt.close();
  if (answer !== name) {
    throw new CommandError(`the name is "${name}", not "${answer}": no changes made`);
  }
}
