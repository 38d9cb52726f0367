import type { Application } from "../constructs";

/**
 * Applications and their permissions, one entry each, such as
 * `{ name: "shop", topics: { "infra-events": "write" }, indices: { "logs-shop-*": "write" } }`. `npm run credentials -- shop` prints the
 * application's credentials.
 */
export const applications: readonly Application[] = [];
