import type { Construct } from "constructs";
import { all, validate } from "../container/validation";
import type { ComponentTemplate } from "./component-template";
import { isObject } from "./declared-resource";
import { patternsOverlap } from "./index-name";
import type { IndexTemplate } from "./index-template";
import { settingsIn } from "./references";
import type { RetentionPolicy } from "./retention-policy";

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
      patternsOf(policy).map((pattern) => () => validatePattern(scope, policy, pattern, targets)),
    ),
  );
}

/** What the indices of an index template are for a rollover. */
interface Target {
  readonly name: string;
  readonly patterns: readonly string[];
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
    kind: data_stream ? "data stream" : hasAlias ? "rollover alias" : "index",
  };
}

const ROLLOVER_ALIAS = /^(plugins|opendistro)\.index_state_management\.rollover_alias$/;

const patternsOf = ({ body }: RetentionPolicy) =>
  (body.ism_template ?? [])
    .flatMap(({ index_patterns }) => index_patterns)
    .filter((pattern) => !pattern.startsWith("-"));

function validatePattern(
  scope: Construct,
  policy: RetentionPolicy,
  pattern: string,
  targets: readonly Target[],
): void {
  const { name, body, dataStreams } = policy;
  const has = (action: string) =>
    body.states.some(({ actions = [] }) => actions.some((one) => action in one));
  const matching = targets.filter(({ patterns }) =>
    patterns.some((one) => patternsOverlap(one, pattern)),
  );
  if (has("rollover")) {
    const isElsewhere = dataStreams.some((one) => patternsOverlap(one, pattern));
    const [template] = matching;
    validate(
      isElsewhere || matching.some(({ kind }) => kind !== "index"),
      () =>
        `retention policy "${name}" rolls over "${pattern}", but no index template in the catalog makes a data stream of these indices or gives them a rollover alias, and OpenSearch rolls over nothing else: ${template ? `add "data_stream": {} to index template "${template.name}"` : `add an index template for "${pattern}" with "data_stream": {}`}, remove the rollover, or add "${pattern}" to dataStreams in catalog/index.ts if the cluster has it`,
      scope,
    );
  } else if (has("delete")) {
    validate(
      matching.length === 0 || matching.some(({ kind }) => kind !== "data stream"),
      () =>
        `retention policy "${name}" deletes "${pattern}" without a rollover, but index template "${matching[0].name}" makes a data stream of it, whose newest index OpenSearch does not delete: add a rollover, such as { "days": 1 }`,
      scope,
    );
  }
}

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
          `retention policies "${other.name}" and "${name}" both have priority ${priority}, and their index patterns "${otherPattern}" and "${pattern}" overlap, which OpenSearch rejects: give the more specific one a higher priority`,
        scope,
      );
    }
  }
}
