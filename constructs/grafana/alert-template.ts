/** A piece of a template: text outside of `{{ }}`, or the inside of one. */
interface Piece {
  readonly text: string;
  readonly isAction: boolean;
}

/** The strings, comments, numbers and words of an action. A word after "." or "$" is a field or a variable. */
const TOKENS =
  /\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)*'|\$\w*|(?:\.\w+)+|\d[\w.]*|[A-Za-z_]\w*/g;

const KEYWORDS = ["if", "else", "end", "range", "with", "template", "define", "block"];

/** Words and functions of Go's templates (https://pkg.go.dev/text/template#hdr-Functions). */
const OF_GO = [
  ...[...KEYWORDS, "break", "continue", "nil", "true", "false"],
  ...["and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js"],
  ...["urlquery", "call", "eq", "ne", "lt", "le", "gt", "ge"],
];

/** Functions that Grafana has (https://grafana.com/docs/grafana/latest/alerting/alerting-rules/templates/reference/). */
const OF_GRAFANA = [
  ...["args", "externalURL", "filterLabels", "filterLabelsRe", "first", "graphLink", "humanize"],
  ...["humanize1024", "humanizeDuration", "humanizePercentage", "humanizeTimestamp", "label"],
  ...["match", "mergeLabelValues", "now", "parseDuration", "pathPrefix", "reReplaceAll"],
  ...["removeLabels", "removeLabelsRe", "safeHtml", "sortByLabel", "stripDomain", "stripPort"],
  ...["strvalue", "tableLink", "title", "toDuration", "toLower", "toTime", "toUpper"],
  ...["urlQueryEscape", "value"],
];

/** What Grafana does not have, or means otherwise than Prometheus, with the remedy. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  query: "Grafana returns nothing for it: put the query into expr, or link a dashboard",
  graphLink: "Grafana expects JSON instead of a query: link a dashboard",
  tableLink: "Grafana expects JSON instead of a query: link a dashboard",
  $externalLabels: "Grafana has no external labels: write the text itself",
  $externalURL: "Grafana has it as a function: write externalURL",
  ".ExternalLabels": "Grafana has no external labels: write the text itself",
  ".ExternalURL": "Grafana has it as a function: write externalURL",
};

/** Variables that Grafana declares. */
const VARIABLES = ["$labels", "$value", "$values"];

/** Returns what of a Prometheus template Grafana does not support, with the remedy, or undefined. */
export function refusalOfTemplate(template: string): string | undefined {
  const pieces = piecesOf(template);
  if (pieces === undefined) {
    return `opens a template with "{{" and does not close it: add "}}", or write {{ "{{" }} for the characters`;
  }
  const actions = pieces.flatMap(({ text, isAction }) => (isAction ? text : []));
  if (actions.some((text) => /^-?\s*-?$/.test(text))) {
    return "has an empty template, {{ }}: remove it";
  }
  const tokens = actions.flatMap((text) => text.match(TOKENS) ?? []);
  const declared = actions.flatMap((text) =>
    [...text.matchAll(/(\$\w+)\s*(?:,\s*(\$\w+)\s*)?:=/g)].flatMap(([, ...names]) => names),
  );
  for (const [i, token] of tokens.entries()) {
    // Grafana's own links have JSON.
    const isLink = /Link$/.test(token) && /^["`]\{/.test(tokens[i + 1] ?? "");
    if (Object.hasOwn(UNSUPPORTED, token) && !isLink) {
      return `uses ${token} in a template: ${UNSUPPORTED[token]}`;
    }
    if (/^\$\w/.test(token) && ![...VARIABLES, ...declared].includes(token)) {
      return `uses ${token} in a template, which Grafana does not know: use ${VARIABLES.join(", ")}, or declare it with :=`;
    }
    if (/^[A-Za-z_]/.test(token) && ![...OF_GO, ...OF_GRAFANA].includes(token)) {
      return `uses ${token} in a template, which Grafana does not know: use a function of its reference of templates`;
    }
  }
  const opened = tokens.filter((token) =>
    ["if", "range", "with", "define", "block"].includes(token),
  );
  // "else if" and "else with" open nothing.
  const chained = actions.filter((text) => /\belse\s+(if|with)\b/.test(text));
  const ends = tokens.filter((token) => token === "end");
  return opened.length - chained.length === ends.length
    ? undefined
    : `has a template with ${opened.length - chained.length} of if, range and with, and ${ends.length} of end: each needs one`;
}

/** Renders a Prometheus template as Grafana's: `$value` and `.Value` become the value of the rule's query. */
export function toGrafanaTemplate(template: string): string {
  // Whether each open block changes the dot, as range and with do.
  const blocks: boolean[] = [];
  return (piecesOf(template) ?? [{ text: template, isAction: false }])
    .map(({ text, isAction }) => {
      if (!isAction) {
        return text;
      }
      const inner = text.replace(TOKENS, (token) =>
        token === "$value" || (token === ".Value" && !blocks.includes(true))
          ? "$values.query.Value"
          : token,
      );
      const [, word] = /^-?\s*(if|range|with|define|block|end)\b/.exec(text) ?? [];
      if (word === "end") {
        blocks.pop();
      } else if (word) {
        blocks.push(word !== "if");
      }
      return `{{${inner}}}`;
    })
    .join("");
}

/** Splits a template. Returns undefined if an action is not closed. */
function piecesOf(template: string): Piece[] | undefined {
  const pieces: Piece[] = [];
  // Braces in strings and comments do not close an action.
  const action = /\{\{((?:\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"|`[^`]*`|(?!\}\}|"|`)[\s\S])*)\}\}/y;
  let from = 0;
  for (let at = template.indexOf("{{"); at !== -1; at = template.indexOf("{{", from)) {
    action.lastIndex = at;
    const found = action.exec(template);
    if (!found) {
      return undefined;
    }
    pieces.push({ text: template.slice(from, at), isAction: false });
    pieces.push({ text: found[1], isAction: true });
    from = action.lastIndex;
  }
  return [...pieces, { text: template.slice(from), isAction: false }];
}
