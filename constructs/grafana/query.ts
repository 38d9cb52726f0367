import { parser as logQl } from "@grafana/lezer-logql";
import type { SyntaxNode } from "@lezer/common";
import { parser as promQl } from "@prometheus-io/lezer-promql";

export type QueryLanguage = "PromQL" | "LogQL";

const PARSERS = { PromQL: promQl, LogQL: logQl };

/** `$name`, `${name}` and `${name:format}`, but for the groups of `label_replace`. */
const VARIABLE = /\$(?:\{([a-zA-Z_]\w*)(?:\.\w+)?(?::[\w:.-]+)?\}|([a-zA-Z_]\w*))/g;

/** Where a query stops being one in its language, as a text that points there, or nothing when all of it is. */
export function syntaxErrorOf(language: QueryLanguage, query: string): string | undefined {
  // What stands for a variable may be a name, or a number where no name can be.
  const errors = ["x", "5"].map((value) => errorIn(language, expand(query, value)));
  return errors.includes(undefined) ? undefined : errors[0];
}

/** With something in place of every variable, as Grafana puts it there before it sends a query. */
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

/** What a measurement of cAdvisor's is multiplied with: it has the id of any container of the engine, and this the names of the platform's own. */
export const NAMED_CONTAINERS =
  "on (container_id) group_left (name) group by (container_id, name) (last_over_time(groundwork_container_info[1d]))";

/** What cAdvisor measures (https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md); an application's own may begin so too. */
const MEASURED =
  /^container_(blkio|cpu|file_descriptors|fs|last_seen|memory|network|oom_events|pressure|processes|sockets|spec|start_time|tasks|threads|ulimits)(_\w+)?(?![\w:])/;

/** Metrics of cAdvisor's in a PromQL query that would count containers of somebody else's, under no name. */
export function unnamedMetrics(query: string): string[] {
  const expanded = expand(query, "x");
  const found: string[] = [];
  promQl.parse(expanded).iterate({
    enter: ({ name, node }) => {
      if (name !== "VectorSelector") {
        return;
      }
      const selector = expanded.slice(node.from, node.to);
      // The name may also be among the labels.
      const [, named = selector] = /__name__\s*=~?\s*"([^"]*)/.exec(selector) ?? [];
      const [metric] = MEASURED.exec(named) ?? [];
      if (metric && !found.includes(metric) && !isNamed(node, expanded)) {
        found.push(metric);
      }
    },
  });
  return found;
}

/** Whether it is one side of a join, at any depth, whose other side has the names. */
function isNamed({ from, parent }: SyntaxNode, expanded: string): boolean {
  for (let node = parent; node; node = node.parent) {
    const { firstChild: left, lastChild: right } = node;
    if (node.name === "BinaryExpr" && left && right) {
      const names = from < left.to ? right : left;
      const matching = expanded.slice(left.to, right.from);
      if (
        // What is left without a name, or beside it, is somebody else's.
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

/** Names of the dashboard's variables that a text refers to, without Grafana's own. */
export function variablesIn(text: string): string[] {
  const names = [...text.matchAll(VARIABLE)].map(([, braced, plain]) => braced ?? plain);
  return names.filter((name) => !name.startsWith("__"));
}
