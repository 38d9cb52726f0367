import { isSecured } from "../environments";
import { describeForeignCa } from "../operations/deploy/foreign-ca";
import { describePendingSecrets } from "../operations/drift/drift";
import { followContext } from "../operations/engine/context";
import { takeInventory } from "../operations/inventory/inventory";
import { removeLeftOver } from "../operations/inventory/remove";
import { type Format, RENDERERS } from "../operations/inventory/render";
import { withLock } from "../operations/lock/lock";
import { Platform } from "../operations/platform/platform";
import { currentDeclarations } from "../operations/synthesis/environment";
import { CommandError, refuse } from "../operations/terminal/terminal";

export interface InventoryOptions {
  readonly format: Format;
  readonly remove?: readonly string[];
  readonly yes: boolean;
  readonly forceUnlock: boolean;
}

/** Prints what both clusters have, or removes what is left over. Throws if a service does not answer. */
export async function inventory({
  format,
  remove,
  yes,
  forceUnlock,
}: InventoryOptions): Promise<void> {
  const [declared, catalog] = currentDeclarations();
  const environment = await followContext(declared);
  if (isSecured(environment)) {
    refuse(describePendingSecrets(environment, catalog, "npm run inventory"));
  }
  const platform = new Platform(environment);
  refuse(await describeForeignCa(platform));
  if (remove) {
    await withLock(environment, { command: "inventory", forceUnlock }, (stillHeld) =>
      removeLeftOver(platform, catalog, remove, { yes, stillHeld }),
    );
    return;
  }
  const found = await takeInventory(platform, catalog);
  console.log(RENDERERS[format](found));
  if (found.failures.length > 0) {
    throw new CommandError(found.failures.join("\n"));
  }
}
