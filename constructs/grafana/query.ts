import { parser as logQl } from "@grafana/lezer-logql";
import type { SyntaxNode } from "@lezer/common";
import { parser as promQl } from "@prometheus-io/lezer-promql";

export type QueryLanguage = "PromQL" | "LogQL";

const PARSERS = { PromQL: promQl, LogQL: logQl };

/** `$name`, `${name}` and `${name:format}`, except the groups of `label_replace`. */
const VARIABLE = /\$(?:\{([a-zA-Z_]\w*)(?:\.\w+)?(?::[\w:.-]+)?\}|([a-zA-Z_]\w*))/g;

/** Returns a text that points to the first syntax error of a query, or undefined if it is valid. */
export function syntaxErrorOf(language: QueryLanguage, query: string): string | undefined {
  // A variable may stand for a name or for a number.
  const errors = ["x", "5"].map((value) => errorIn(language, expand(query, value)));
  return errors.includes(undefined) ? undefined : errors[0];
}

/** Replaces every variable with a value, as Grafana does before it sends a query. */
function expand(query: string, value: string): string {
  return query.replace(VARIABLE, (_variable, braced, plain, offset: number) => {
    const before = query.slice(0, offset);
    const after = query.slice(offset + _variable.length);
    const isNumber = /_(ms|s)$/.test(braced ?? plain) || /@\s*$/.test(before);
    const isDuration =
      before.lastIndexOf("[") > before.lastIndexOf("]") || /\boffset\s+-?$/.test(before);
    if (isDuration || isNumber) {
      return isNumber || /^(ms|[smhdwy])\b/.test(after) ? "5" : "5m";
    }
    return value;
  });
}

function errorIn(language: QueryLanguage, expanded: string): string | undefined {
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
    : `not valid ${language} at character ${place + 1}, "${expanded.slice(place, place + 20)}"`;
}

/** The factor that limits cAdvisor's metrics, which cover every container of the engine, to the platform's containers, and adds their names. */
export const NAMED_CONTAINERS =
  "on (container_id) group_left (name) group by (container_id, name) (last_over_time(groundwork_container_info[1d]))";

/** cAdvisor's metrics (https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md). An application's may start with `container_` too. */
const MEASURED =
  /^container_(blkio|cpu|file_descriptors|fs|last_seen|memory|network|oom_events|pressure|processes|sockets|spec|start_time|tasks|threads|ulimits)(_\w+)?(?![\w:])/;

/** Returns the metrics of cAdvisor in a PromQL query that would include unmanaged containers, without a name. */
export function unnamedMetrics(query: string): string[] {
  const expanded = expand(query, "x");
  const found: string[] = [];
  promQl.parse(expanded).iterate({
    enter: ({ name, node }) => {
      if (name !== "VectorSelector") {
        return;
      }
      const selector = expanded.slice(node.from, node.to);
      // The metric's name may also be the label __name__.
      const [, named = selector] = /__name__\s*=~?\s*"([^"]*)/.exec(selector) ?? [];
      const [metric] = MEASURED.exec(named) ?? [];
      if (metric && !found.includes(metric) && !isNamed(node, expanded)) {
        found.push(metric);
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
  const names = [...text.matchAll(VARIABLE)].map(([, braced, plain]) => braced ?? plain);
  return names.filter((name) => !name.startsWith("__"));
}
