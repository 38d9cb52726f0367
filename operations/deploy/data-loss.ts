import { TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { isResourceFile } from "../../constructs/opensearch/declared-resource";
import { keepsData } from "../changes/kept-data";
import type { Run } from "../run/run";
import { containersOf } from "../synthesis/container";
import { confirm } from "../terminal/confirm";
import { refuse } from "../terminal/terminal";

const ALLOW = "npm run up -- --allow-data-loss";

/** Returns the stored records that the planned deploy deletes. */
async function plannedDataLoss(run: Run): Promise<string[]> {
  const plans = run.planned.filter(
    ({ changes, stack }) =>
      changes &&
      containersOf(stack.resources).some(
        (container) =>
          keepsData(container) ||
          (container.upload ?? []).some(({ file }) => file === TOPICS_FILE || isResourceFile(file)),
      ),
  );
  const { changes } = await run.report(plans);
  return changes.flatMap(({ dataLoss = [] }) => dataLoss);
}

/** Asks before a deploy that deletes stored records. Throws if the user says no, or cannot be asked. */
export async function confirmDataLoss(run: Run): Promise<void> {
  const losses = await plannedDataLoss(run);
  if (losses.length === 0) {
    return;
  }
  const listing = losses.map((loss) => `- ${loss}`).join("\n");
  const { name } = run.platform.environment;
  await confirm(
    name,
    `This deploy deletes stored records of environment "${name}":\n${listing}\nThey cannot be restored`,
    `no changes made: this deploy deletes stored records, and standard input is not a terminal to ask: undo the change, or run ${ALLOW}\n${listing}`,
  );
}

/** Throws if a deploy would delete stored records. */
export async function refuseDataLoss(run: Run): Promise<void> {
  refuse(
    (await plannedDataLoss(run)).map(
      (loss) => `${loss}; deploy this change with ${ALLOW} first, or undo it`,
    ),
  );
}
