import type { SyntaxNode } from "@lezer/common";
import { syntaxErrorOf, unnamedSelectors } from "../../constructs/grafana/query";

/** Labels of `groundwork_container_info`. */
const NAMES = ["name", "service", "role", "cluster", "environment", "image"];

/** Labels of cAdvisor's metrics in the platform. */
const OWN = [
  "id",
  "container_id",
  "instance",
  "cpu",
  "interface",
  "device",
  "failure_type",
  "scope",
];

/** Labels by which other platforms tell containers, or cAdvisor, from others. Groundwork's join does it. */
const REPLACED = ["job", "container_label_org_label_schema_group"];

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * Joins the metrics of cAdvisor in a PromQL query with the names of the platform's containers. Returns the query unchanged if it uses
 * labels that these containers do not have, such as those of Kubernetes.
 */
export function joinContainers(query: string): string {
  const used = NAMES.filter((label) => new RegExp(`\\b${label}\\b`).test(query));
  const labels = ["name", ...used.filter((label) => label !== "name")].join(", ");
  const edits: Edit[] = [];
  for (const { node } of unnamedSelectors(query)) {
    const joined = join(node, query, labels);
    if (!joined) {
      return query;
    }
    edits.push(...joined);
  }
  const result = edits
    .sort((a, b) => b.from - a.from || b.to - a.to)
    .reduce((text, { from, to, text: now }) => text.slice(0, from) + now + text.slice(to), query);
  return syntaxErrorOf("PromQL", result) === undefined ? result : query;
}

function join(selector: SyntaxNode, query: string, labels: string): Edit[] | undefined {
  const matchers = matchersOf(selector);
  const texts = matchers.map(({ from, to }) => query.slice(from, to));
  const labelOf = (matcher: string) => /^\s*"?(\w+)/.exec(matcher)?.[1] ?? "";
  if (texts.some((text) => ![...NAMES, ...OWN, ...REPLACED].includes(labelOf(text)))) {
    return undefined;
  }
  const names = texts.filter((text) => NAMES.includes(labelOf(text)));
  const kept = texts.filter((text) => OWN.includes(labelOf(text)));
  const info = `groundwork_container_info{${['job="integrations/self"', ...names].join(", ")}}[1d]`;
  const factor = `on (container_id) group_left (${labels}) group by (container_id, ${labels}) (last_over_time(${info}))`;
  const { from, to } = vectorOf(selector);
  // Without a list, the job comes to the end of the selector, in front of the factor that may be there too.
  const list = selector.getChild("LabelMatchers") ?? { from: selector.to, to: selector.to };
  return [
    { from, to: from, text: "(" },
    { from: to, to, text: ` * ${factor})` },
    {
      from: list.from,
      to: list.to,
      text: `{${['job="integrations/cadvisor"', ...kept].join(", ")}}`,
    },
  ];
}

/** Returns the nodes of the label matchers of a selector. */
function matchersOf(selector: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  selector
    .getChild("LabelMatchers")
    ?.cursor()
    .iterate(({ name, node }) => {
      if (/LabelMatcher$/.test(name)) {
        found.push(node);
      }
    });
  return found;
}

/** Returns the instant vector that a selector becomes: itself, or the call that gets its range. */
function vectorOf(selector: SyntaxNode): SyntaxNode {
  let node = selector;
  while (
    node.parent &&
    /^(MatrixSelector|OffsetExpr|StepInvariantExpr|SubqueryExpr)$/.test(node.parent.name)
  ) {
    node = node.parent;
  }
  const hasRange =
    /^(MatrixSelector|SubqueryExpr)$/.test(node.name) || node.getChild("MatrixSelector");
  return (hasRange && node.parent?.parent) || node;
}
