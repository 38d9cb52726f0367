import { parser as logQl } from "@grafana/lezer-logql";
import { parser as promQl } from "@prometheus-io/lezer-promql";

export type QueryLanguage = "PromQL" | "LogQL";

const PARSERS = { PromQL: promQl, LogQL: logQl };

/** What Grafana puts in place of its own variables before it sends a query; all of them are durations. */
const DURATION_VARIABLE = /\$\{?__(rate_interval|interval|range|auto)\}?/g;

/** Where a query stops being one in its language, as a text that points there, or nothing when all of it is. */
export function syntaxErrorOf(language: QueryLanguage, query: string): string | undefined {
  const expanded = query.replace(DURATION_VARIABLE, "5m");
  let place: number | undefined;
  PARSERS[language].parse(expanded).iterate({
    enter: ({ type, from }) => {
      if (type.isError && place === undefined) {
        place = from;
      }
    },
  });
  return place === undefined
    ? undefined
    : `no ${language} from character ${place + 1}, "${expanded.slice(place, place + 20)}"`;
}

/**
 * Names of the dashboard's variables that a text refers to, `$name` or `${name}`, without Grafana's own and without `$1`, which
 * `label_replace` puts a group for.
 */
export function variablesIn(text: string): string[] {
  const names = [...text.matchAll(/\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g)].map(([, a, b]) => a ?? b);
  return names.filter((name) => !/^(__|\d)/.test(name));
}
