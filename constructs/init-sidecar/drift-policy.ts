import * as v from "valibot";
import type { Declared } from "../container/declaration";

export const driftPolicySchema = v.picklist(["fail", "reconcile", "ignore"]);

/**
 * What an init sidecar does with a resource that exists and differs from its declaration. Nothing is ever deleted, shrunk or
 * recreated.
 *
 * - `fail`: report the differing fields and exit 73, since exit 0 means that what was declared holds.
 * - `reconcile`: repair what can be repaired by adding: topic configs, more partitions, an index template that carries our
 *   mark and was not edited since. Exit 73 for the rest.
 * - `ignore`: report the differing fields and go on.
 */
export type DriftPolicy = Declared<typeof driftPolicySchema>;
