import { createInterface } from "node:readline/promises";
import type { Environment } from "../environments";
import { destroyPlatform } from "../operations/deploy/destroy";
import { followContext } from "../operations/engine/context";
import { currentEnvironment } from "../operations/synthesis/environment";
import { CommandError } from "../operations/terminal/terminal";

/** Stops everything, and removes the data volumes too if that is asked for and confirmed. */
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
      "--volumes destroys all data and there is no terminal to confirm it on: add --yes",
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(
    `This destroys all data of environment "${name}". Type its name to go on: `,
  );
  prompt.close();
  if (answer !== name) {
    throw new CommandError(`"${answer}" is not "${name}": nothing was changed`);
  }
}
