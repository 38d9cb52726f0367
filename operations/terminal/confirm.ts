import { createInterface } from "node:readline/promises";
import { CommandError } from "./terminal";

/** Has the user type the name of the environment. Throws if it is another one, or if there is no terminal. */
export async function confirm(
  environment: string,
  { what, effect }: { readonly what: string; readonly effect: string },
): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError(
      `${what} and needs a confirmation, but standard input is not a terminal: add --yes`,
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(
    `${effect} of environment "${environment}". Type the environment's name to continue: `,
  );
  prompt.close();
  if (answer !== environment) {
    throw new CommandError(`the name is "${environment}", not "${answer}": no changes made`);
  }
}
