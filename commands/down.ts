import { destroyPlatform } from "../operations/deploy/destroy";
import { followContext } from "../operations/engine/context";
import { currentEnvironment } from "../operations/synthesis/environment";
import { confirm } from "../operations/terminal/confirm";

/** Removes containers and networks, and also the data volumes if requested and confirmed. */
export async function down({ volumes, yes }: Record<"volumes" | "yes", boolean>): Promise<void> {
  const environment = await followContext(currentEnvironment());
  if (volumes && !yes) {
    await confirm(environment.name, {
      what: "--volumes destroys all data",
      effect: "This destroys all data",
    });
  }
  await destroyPlatform(environment, { volumes });
}
