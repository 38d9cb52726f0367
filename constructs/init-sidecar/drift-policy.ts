import * as v from "valibot";
import type { Declared } from "../container/declaration";

export const driftPolicySchema = v.picklist(["fail", "reconcile", "ignore"]);

/**
 * What an init sidecar does if a resource differs both from its declaration and from what was applied last, since somebody changed it, or
 * something else created it. If the declaration alone changed, it is applied. A resource is never deleted or recreated.
 *
 * - `fail`: reports the differing fields and exits with code 73, since exit code 0 means that everything declared is in place.
 * - `reconcile`: sets and resets topic configs, and adds partitions. Exits with code 73 if other differences remain. It never overwrites an
 *   index template that was edited.
 * - `ignore`: reports the differing fields and continues.
 */
export type DriftPolicy = Declared<typeof driftPolicySchema>;
