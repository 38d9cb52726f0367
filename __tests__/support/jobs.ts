import { parser as promQl } from "@prometheus-io/lezer-promql";

/** Alloy's jobs, what Prometheus records itself, and applications where a query is about them. */
const JOB =
  /^[\w:]+\{job(="(integrations\/\w+|applications|services|)"|=~"(integrations\/\w+\|?)+"|=~"integrations\/(blackbox\/)?\.\+")[,}]/;

/** Returns every series that a PromQL expression selects, as it is written. */
export function selectorsOf(expression: string): string[] {
  const found: string[] = [];
  promQl.parse(expression).iterate({
    enter: ({ name, from, to }) => {
      if (name === "VectorSelector") {
        found.push(expression.slice(from, to));
      }
    },
  });
  return found;
}

/** Returns the series of a PromQL expression that an application's metric of the same name could be. */
export function withoutJob(expression: string): string[] {
  return selectorsOf(expression).filter((selector) => !JOB.test(selector));
}

/** Returns the names of the series of a PromQL expression that an application does not send itself. */
export function ownMetricsOf(expression: string): string[] {
  return selectorsOf(expression)
    .filter((selector) => !selector.includes('job="applications"'))
    .map((selector) => selector.split("{")[0]);
}
