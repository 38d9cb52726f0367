import { createInterface } from "node:readline/promises";
import type { Environment } from "../environments";
import { destroyPlatform } from "../operations/deploy/destroy";
import { followContext } from "../operations/engine/context";
import { currentEnvironment } from "../operations/synthesis/environment";
import { CommandError } from "../operations/terminal/terminal";

/** Removes containers and networks, and also the data volumes if requested and confirmed. */
export async function down({ volumes, yes }: Record<"volumes" | "yes", boolean>): Promise<void> {
  const environment = await followContext(currentEnvironment());
  if (volumes && !yes) {
    await confirm(environment);
  }
  await destroyPlatform(environment, { volumes });
}

async function confirm({ name }: Environment): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError(
      "--volumes destroys all data and needs a confirmation, but standard input is not a terminal: add --yes",
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(
    `This destroys all data of environment "${name}". Type the environment's name to continue: `,
  );
  prompt.close();
  if (answer !== name) {
    throw new CommandError(`the name is "${name}", not "${answer}": no changes made`);
  }
}
