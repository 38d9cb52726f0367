import * as v from "valibot";
import type { Declared } from "../container/declaration";

export const driftPolicySchema = v.picklist(["fail", "reconcile", "ignore"]);

/**
 * What an init sidecar does if a resource exists and differs from its declaration. It never deletes, shrinks or recreates a resource.
 *
 * - `fail`: reports the differing fields and exits with code 73, since exit code 0 means that everything declared is in place.
 * - `reconcile`: sets topic configs, adds partitions, and updates an index template that has Groundwork's mark and was not edited since.
 *   Exits with code 73 if other differences remain.
 * - `ignore`: reports the differing fields and continues.
 */
export type DriftPolicy = Declared<typeof driftPolicySchema>;
