import type { Construct } from "constructs";
import { all, validate } from "../container/validation";
import type { ComponentTemplate } from "./component-template";
import { isObject } from "./declared-resource";
import { patternsOverlap } from "./index-name";
import type { IndexTemplate } from "./index-template";
import { settingsIn } from "./references";
import type { RetentionPolicy } from "./retention-policy";
import type { IsmTemplate } from "./retention-policy-body";

/** Throws if OpenSearch rejects a policy together with another one, or one could never do what it says. */
export function validateRetentionPolicies(
  scope: Construct,
  policies: readonly RetentionPolicy[],
  indexTemplates: readonly IndexTemplate[],
  componentTemplates: readonly ComponentTemplate[],
): void {
  const targets = indexTemplates.map((template) => targetOf(template, componentTemplates));
  all(
    () => validatePriorities(scope, policies),
    ...policies.flatMap((policy) =>
      (policy.body.ism_template ?? []).flatMap((template) =>
        template.index_patterns
          .filter((pattern) => !isExcluding(pattern))
          .map(
            (pattern) => () => validatePattern(scope, policy, template, pattern, targets, policies),
          ),
      ),
    ),
  );
}

/** What the indices of an index template are for a rollover. */
interface Target {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly priority: number;
  readonly kind: "data stream" | "rollover alias" | "index";
}

function targetOf(
  { name, body }: IndexTemplate,
  componentTemplates: readonly ComponentTemplate[],
): Target {
  const { index_patterns: patterns, data_stream, composed_of = [], template } = body;
  const components = componentTemplates.filter((one) => composed_of.includes(one.name));
  const hasAlias = [template, ...components.map((one) => one.body.template)].some((one) =>
    settingsIn(isObject(one) ? one.settings : {}).some(([path]) => ROLLOVER_ALIAS.test(path)),
  );
  return {
    name,
    patterns,
    priority: Number(body.priority ?? 0),
    kind: data_stream ? "data stream" : hasAlias ? "rollover alias" : "index",
  };
}

const ROLLOVER_ALIAS = /^(plugins|opendistro)\.index_state_management\.rollover_alias$/;

const isExcluding = (pattern: string) => pattern.startsWith("-");

function validatePattern(
  scope: Construct,
  policy: RetentionPolicy,
  { index_patterns, priority = 0 }: IsmTemplate,
  pattern: string,
  targets: readonly Target[],
  policies: readonly RetentionPolicy[],
): void {
  const { name, body, dataStreams } = policy;
  const has = (action: string) =>
    body.states.some(({ actions = [] }) => actions.some((one) => action in one));
  const matching = targets.filter(({ patterns }) =>
    patterns.some((one) => patternsOverlap(one, pattern)),
  );
  const isElsewhere = dataStreams.some((one) => patternsOverlap(one, pattern));
  validate(
    !pattern.startsWith(".ds-"),
    () =>
      `retention policy "${name}" has the pattern "${pattern}", but OpenSearch compares the name of the data stream: write that, without ".ds-" and the number at its end`,
    scope,
  );
  validate(
    !pattern.startsWith(".") || isElsewhere || matching.some(({ kind }) => kind === "data stream"),
    () =>
      `retention policy "${name}" has the pattern "${pattern}", but OpenSearch applies policies to no hidden index that is not of a data stream: remove the pattern, or add "${pattern}" to dataStreams in catalog/index.ts if the cluster has such a data stream`,
    scope,
  );
  // Another policy, template or data stream may have the indices of a pattern, or all of both patterns.
  const isTakenBy = (takers: readonly string[], of: string) =>
    takers.some((taker) => covers(taker, of) || covers(taker, pattern));
  const isLeftToOthers = (of: string) =>
    isTakenBy(
      index_patterns.filter(isExcluding).map((one) => one.slice(1)),
      of,
    ) ||
    policies.some((other) =>
      (other.body.ism_template ?? []).some(
        (theirs) =>
          Number(theirs.priority ?? 0) > Number(priority) &&
          isTakenBy(theirs.index_patterns, of) &&
          !theirs.index_patterns
            .filter(isExcluding)
            .some((excluded) => patternsOverlap(excluded.slice(1), of)),
      ),
    );
  /** The index templates whose indices the policy gets, and that are of the wrong kind for it. */
  const wrongOnes = (isRight: (target: Target) => boolean, present: readonly string[]) =>
    matching
      .filter((target) => !isRight(target))
      .filter(({ patterns, priority: own }) =>
        patterns
          .filter((one) => patternsOverlap(one, pattern))
          .some(
            (one) =>
              !isLeftToOthers(one) &&
              !isTakenBy(present, one) &&
              !matching.some(
                (other) => isRight(other) && other.priority > own && isTakenBy(other.patterns, one),
              ),
          ),
      );
  if (has("rollover")) {
    const [template] = matching;
    validate(
      isElsewhere || matching.some(({ kind }) => kind !== "index"),
      () =>
        `retention policy "${name}" rolls over "${pattern}", but no index template in the catalog makes a data stream of these indices or gives them a rollover alias, and OpenSearch rolls over nothing else: ${template ? `add "data_stream": {} to index template "${template.name}"` : `declare a data stream for "${pattern}" in catalog/data-streams/`}, remove the rollover, or add "${pattern}" to dataStreams in catalog/index.ts if the cluster has it`,
      scope,
    );
    const wrong = wrongOnes(({ kind }) => kind !== "index", dataStreams);
    validate(
      wrong.length === 0,
      () =>
        `retention policy "${name}" rolls over "${pattern}", but ${called(wrong)} neither make a data stream of their indices nor give them a rollover alias, and OpenSearch rolls over nothing else: add "data_stream": {} to each, ${REMEDY}`,
      scope,
    );
  } else if (has("delete")) {
    const wrong = wrongOnes(({ kind }) => kind !== "data stream", []);
    const [template] = wrong;
    const entry = template?.patterns.find((one) => patternsOverlap(one, pattern));
    // Other indices of the pattern cannot roll over.
    const remedy = matching.some(({ kind }) => kind === "index")
      ? `declare a policy with a higher priority for their patterns, such as "${entry}": { rollover: { days: 1 }, delete: { days: 30 } } in catalog/retention.ts, ${NARROWER}`
      : `add a rollover, such as { "days": 1 }, ${REMEDY}`;
    validate(
      wrong.length === 0,
      () =>
        `retention policy "${name}" deletes "${pattern}" without a rollover, but ${wrong.length === 1 ? `index template "${template.name}" makes a data stream of it` : `${called(wrong)} make data streams of it`}, whose newest index OpenSearch does not delete: ${remedy}`,
      scope,
    );
  }
}

/** Names index templates in a sentence. */
const called = (targets: readonly Target[]) =>
  `${targets.length === 1 ? "index template" : "index templates"} ${targets.map(({ name, patterns }) => `"${name}" (${patterns.join(", ")})`).join(", ")}`;

const NARROWER = "or use a pattern that does not match them";

const REMEDY = `declare a policy with a higher priority for their patterns, ${NARROWER}`;

/** Whether a pattern matches every name that another one matches. A "*" of the other one is a character that only a "*" matches. */
const covers = (pattern: string, other: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+$(){}|^[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(other);

/**
 * OpenSearch rejects two policies with the same priority and overlapping index patterns. It compares patterns that exclude indices like the
 * others, with their "-".
 */
function validatePriorities(scope: Construct, policies: readonly RetentionPolicy[]): void {
  const templates = policies.flatMap(({ name, body }) =>
    (body.ism_template ?? []).map(({ priority = 0, index_patterns: patterns }) => ({
      ...{ name, priority: Number(priority), patterns },
    })),
  );
  for (const [i, { name, priority, patterns }] of templates.entries()) {
    for (const other of templates.slice(0, i)) {
      const [pattern, otherPattern] =
        patterns
          .flatMap((mine) => other.patterns.map((theirs) => [mine, theirs]))
          .find(([mine, theirs]) => patternsOverlap(mine, theirs)) ?? [];
      validate(
        pattern === undefined || priority !== other.priority,
        () =>
          `${other.name === name ? `two templates of retention policy "${name}"` : `retention policies "${other.name}" and "${name}"`} both have priority ${priority}, and their index patterns "${otherPattern}" and "${pattern}" overlap, which OpenSearch rejects: give the more specific one a higher priority`,
        scope,
      );
    }
  }
}
