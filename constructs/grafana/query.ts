import { parser as logQl } from "@grafana/lezer-logql";
import type { SyntaxNode } from "@lezer/common";
import { parser as promQl } from "@prometheus-io/lezer-promql";

export type QueryLanguage = "PromQL" | "LogQL";

const PARSERS = { PromQL: promQl, LogQL: logQl };

/** `$name`, `${name}`, `${name:format}` and the old `[[name]]`, except the groups of `label_replace`. */
const VARIABLE =
  /\$(?:\{([a-zA-Z_]\w*)(?:\.\w+)?(?::[\w:.-]+)?\}|([a-zA-Z_]\w*))|\[\[([a-zA-Z_]\w*)(?:\.\w+)?(?::\w+)?\]\]/g;

/** What a variable may stand for: a name, a number, a comparison, a calculation, an aggregation, a matcher or nothing. */
const VALUES = ["x", "5", ">", "*", "sum", 'x="5"', ""];

/** Returns a text that points to the first syntax error of a query, or undefined if it is valid. */
export function syntaxErrorOf(language: QueryLanguage, query: string): string | undefined {
  const values = [...query.matchAll(VARIABLE)].map(() => VALUES[0]);
  const first = expand(query, values);
  let best = errorIn(language, first);
  const error = best;
  // From left to right, each variable gets the value with which the query is valid furthest.
  for (let i = 0; best !== undefined && i < values.length; i++) {
    for (const value of VALUES.slice(1)) {
      const place = errorIn(language, expand(query, values.with(i, value)));
      if (best !== undefined && (place === undefined || place > best)) {
        best = place;
        values[i] = value;
      }
    }
  }
  return best === undefined || error === undefined
    ? undefined
    : `not valid ${language} at character ${error + 1}, "${first.slice(error, error + 20)}"`;
}

/** Replaces every variable with its value, "x" by default, as Grafana does before it sends a query. `resize` may change its length. */
function expand(
  query: string,
  values: readonly string[],
  resize = (value: string, _variable: string) => value,
): string {
  let i = 0;
  return query.replace(VARIABLE, (variable, braced, plain, old, offset: number) => {
    const value = values[i++] ?? VALUES[0];
    const before = query.slice(0, offset);
    const after = query.slice(offset + variable.length);
    const isNumber = /_(ms|s)$/.test(braced ?? plain ?? old) || /@\s*$/.test(before);
    const isDuration =
      before.lastIndexOf("[") > before.lastIndexOf("]") || /\boffset\s+-?$/.test(before);
    if (isDuration || isNumber) {
      return resize(isNumber || /^(ms|[smhdwy])\b/.test(after) ? "5" : "5m", variable);
    }
    return resize(value, variable);
  });
}

/** Returns the place of the first syntax error. */
function errorIn(language: QueryLanguage, expanded: string): number | undefined {
  let place: number | undefined;
  PARSERS[language].parse(expanded).iterate({
    enter: ({ type, from }) => {
      if (type.isError && place === undefined) {
        place = from;
      }
    },
  });
  return place;
}

/** The factor that limits cAdvisor's metrics, which cover every container of the engine, to the platform's containers, and adds their names. */
export const NAMED_CONTAINERS =
  'on (container_id) group_left (name) group by (container_id, name) (last_over_time(groundwork_container_info{job="integrations/self"}[1d]))';

/** cAdvisor's metrics (https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md). An application's may start with `container_` too. */
const MEASURED =
  /^container_(blkio|cpu|file_descriptors|fs|last_seen|memory|network|oom_events|pressure|processes|sockets|spec|start_time|tasks|threads|ulimits)(_\w+)?(?![\w:])/;

/** Returns the metrics of cAdvisor in a PromQL query that would include unmanaged containers, without a name. */
export function unnamedMetrics(query: string): string[] {
  return [...new Set(unnamedSelectors(query).map(({ metric }) => metric))];
}

/** A selector of a metric of every container. */
export interface UnnamedSelector {
  readonly metric: string;
  /** Its place in the query. */
  readonly node: SyntaxNode;
}

/** Returns the selectors of a PromQL query that would include unmanaged containers, without a name. */
export function unnamedSelectors(query: string): UnnamedSelector[] {
  const expanded = expand(query, [], (value, { length }) => value.slice(0, length).padEnd(length));
  const found: UnnamedSelector[] = [];
  promQl.parse(expanded).iterate({
    enter: ({ name, node }) => {
      if (name !== "VectorSelector") {
        return;
      }
      const selector = expanded.slice(node.from, node.to);
      // The metric's name may also be the label __name__.
      const [, named = selector] = /__name__\s*=~?\s*"([^"]*)/.exec(selector) ?? [];
      const [metric] = MEASURED.exec(named) ?? [];
      if (metric && !isNamed(node, expanded)) {
        found.push({ metric, node });
      }
    },
  });
  return found;
}

/** Whether a selector is one side of a join, at any depth, whose other side has the names. */
function isNamed({ from, parent }: SyntaxNode, expanded: string): boolean {
  for (let node = parent; node; node = node.parent) {
    const { firstChild: left, lastChild: right } = node;
    if (node.name === "BinaryExpr" && left && right) {
      const names = from < left.to ? right : left;
      const matching = expanded.slice(left.to, right.from);
      if (
        // `unless` and `or` would keep unmanaged containers.
        !/^\s*(unless|or)\b/.test(matching) &&
        /\bon\s*\([^)]*\bcontainer_id\b/.test(matching) &&
        expanded.slice(names.from, names.to).includes("groundwork_container_info")
      ) {
        return true;
      }
    }
  }
  return false;
}

/** Returns the names of the dashboard's variables in a text, without Grafana's built-in ones. */
export function variablesIn(text: string): string[] {
  const names = [...text.matchAll(VARIABLE)].map(
    ([, braced, plain, old]) => braced ?? plain ?? old,
  );
  return names.filter((name) => !name.startsWith("__"));
}
