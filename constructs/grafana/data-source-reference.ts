import type { DataSourceReference, Variable } from "./dashboard-model";
import { DATA_SOURCE_LANGUAGES } from "./data-source";
import { variablesIn } from "./query";

const ALLOWED = `use ${Object.keys(DATA_SOURCE_LANGUAGES).join(" or ")}`;

/** Data sources that every Grafana has. */
const BUILT_IN = ["-- Grafana --", "grafana", "-- Dashboard --", "-- Mixed --", "__expr__", "-100"];

/** The uid of a data source, or undefined for one that every Grafana has. Otherwise, what is wrong with the reference. */
export type ResolvedDataSource = { readonly uid?: string } | { readonly problem: string };

/** Resolves the reference to a data source as Grafana does. */
export function resolveDataSource(
  reference: DataSourceReference,
  variables: readonly Variable[],
): ResolvedDataSource {
  const { uid, type } =
    typeof reference === "object" && reference !== null
      ? reference
      : { uid: reference ?? undefined };
  const name = uid ?? type ?? "default";
  if (BUILT_IN.includes(name)) {
    return {};
  }
  // By its name, too.
  const known = name === "default" ? "prometheus" : name.toLowerCase();
  if (Object.hasOwn(DATA_SOURCE_LANGUAGES, known)) {
    return { uid: known };
  }
  const [variable] = variablesIn(name);
  const selects = variables.find((one) => one.name === variable && one.type === "datasource");
  if (selects) {
    const query = String(selects.query);
    return Object.hasOwn(DATA_SOURCE_LANGUAGES, query)
      ? { uid: query }
      : {
          problem: `data source "${name}", a variable for data sources of type "${query}": ${ALLOWED}`,
        };
  }
  const what = type && type !== name ? `"${name}" of type "${type}"` : `"${name}"`;
  return {
    problem: variable
      ? `data source ${what}, which the dashboard does not define: ${ALLOWED}, as npm run import does`
      : `data source ${what}: ${ALLOWED}`,
  };
}
