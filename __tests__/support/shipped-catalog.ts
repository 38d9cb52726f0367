import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { catalog } from "../../catalog";
import type { Json } from "./platform";
import { ROOT } from "./root";

// What Groundwork ships, among what a clone declares. A clone's own dashboards and alerts need no tests here.

/** The folder of promtool's tests, with the same names as the shipped files in alerts/. */
export const ALERT_TESTS = join(ROOT, "__tests__", "alerts", "rules");

/** The shipped files in alerts/. */
export const shippedAlertFiles: readonly string[] = readdirSync(ALERT_TESTS).sort();

const names = new Set(
  shippedAlertFiles
    .flatMap((file) => parse(readFileSync(join(ROOT, "alerts", file), "utf8")).groups)
    .map(({ name }: Json) => name),
);

/** The groups of the shipped files. */
export const shippedAlertGroups = catalog.alertGroups.filter(({ name }) => names.has(name));

/** The alerts of the shipped files. */
export const shippedAlerts = shippedAlertGroups.flatMap(({ rules }) => rules);

/** The shipped dashboards. */
export const shippedDashboards = catalog.dashboards.dashboards.filter(({ uid }) =>
  uid.startsWith("groundwork-"),
);
