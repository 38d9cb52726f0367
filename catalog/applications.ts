import type { Application } from "../constructs";

/**
 * Who uses the platform, and what for: one entry each, such as
 * `{ name: "shop", topics: { "infra-events": "write" }, indices: { "logs-shop-*": "write" } }`. `npm run credentials -- shop` prints what
 * the application connects with.
 */
export const applications: readonly Application[] = [];
