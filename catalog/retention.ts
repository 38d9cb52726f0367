import type { Retention } from "../constructs";

/**
 * How long indices are kept, one entry for each index pattern, such as
 * `"application-logs": { rollover: { sizeGiB: 10, days: 1 }, delete: { days: 30 } }`. Indices that no entry matches are kept until
 * somebody deletes them.
 */
export const retention: Retention = {};
