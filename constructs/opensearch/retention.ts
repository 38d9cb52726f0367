import * as v from "valibot";
import { checkDeclared, type Declared, object, record } from "../container/declaration";
import { all, validate } from "../container/validation";
import { refusalOfIndexPattern } from "./index-name";
import type { RetentionPolicyBody } from "./retention-policy-body";

/** A schema of whole numbers. OpenSearch reads no higher ones than the most. */
function whole(least: number, most: number) {
  const expected = `a whole number from ${least} to ${most}`;
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(least, expected),
    v.maxValue(most, expected),
  );
}

/** 2^63 - 1 bytes, in GiB. */
const MOST_GIB = 8_589_934_591;

/** 2^63 - 1 milliseconds, in days. */
const MOST_DAYS = 106_751_991_167;

const daysSchema = whole(1, MOST_DAYS);

const NAME = 'letters, digits, ".", "_" and "-", starting with a letter or digit';

const retentionRuleSchema = object({
  /**
   * When the index that is written to is replaced by a new one: as soon as one of the limits is reached. Only a data stream or a rollover
   * alias can roll over.
   *
   * @default - never
   */
  rollover: v.optional(
    object({
      /** Size of all primary shards together, in GiB. @default - unlimited */
      sizeGiB: v.optional(whole(1, MOST_GIB)),
      /** Age of the index, in days. @default - unlimited */
      days: v.optional(daysSchema),
      /** Number of documents. @default - unlimited */
      documents: v.optional(whole(1, Number.MAX_SAFE_INTEGER)),
    }),
  ),

  /**
   * When an index and its documents are deleted.
   *
   * @default - never
   */
  delete: v.optional(
    object({
      /** Days after its rollover, so that each document is kept at least so long. Without `rollover`, days after it was created. */
      days: daysSchema,
    }),
  ),

  /**
   * What happens to indices that the policy manages already when it changes: they `keep` the version with which they started, or os-init
   * has them `change` to the new one.
   *
   * @default "keep"
   */
  managedIndices: v.optional(v.picklist(["keep", "change"])),

  /**
   * Which rule applies to an index that several patterns match: the one with the highest priority.
   *
   * @default - the number of characters of the pattern without `*`, so that the longest pattern applies
   */
  priority: v.optional(whole(0, 2_147_483_647)),

  /**
   * The name of the policy in OpenSearch, which has one policy for each name. A policy that is deployed keeps its name: OpenSearch
   * refuses one with another name while it has the former one, unless `priority` changes too. Existing indices keep the former one.
   *
   * @default - the pattern without `*`, or `all`
   */
  name: v.optional(v.pipe(v.string(NAME), v.regex(/^[a-z0-9][a-z0-9._-]*$/i, NAME))),
});

const retentionSchema = record(retentionRuleSchema);

/** How long indices are kept, by index pattern: `{ "logs-*": { rollover: { sizeGiB: 10, days: 1 }, delete: { days: 30 } } }`. */
export type Retention = Declared<typeof retentionSchema>;

/** How long the indices of a pattern are kept. At least one of `rollover` and `delete`. */
export type RetentionRule = Declared<typeof retentionRuleSchema>;

/** Throws if the short form is malformed, or has a pattern that no index can match, or a rule that does nothing. */
export function validateRetention(retention: Retention): void {
  checkDeclared(retentionSchema, retention, "the retention of indices");
  const patterns = Object.keys(retention);
  const nameOf = (pattern: string) => nameOfRule(pattern, retention[pattern]);
  all(
    ...patterns.map((pattern, i) => () => {
      const name = nameOf(pattern);
      const first = patterns.slice(0, i).find((other) => nameOf(other) === name);
      validate(
        first === undefined,
        () =>
          `retention of "${first}" and of "${pattern}" have the same policy name "${name}": add another name to the one that is not deployed yet, such as name: "${name}-2"`,
      );
    }),
    ...Object.entries(retention).flatMap(([pattern, rule]) => [
      () => {
        const refusal = refusalOfIndexPattern(pattern, "*");
        validate(
          refusal === undefined,
          () => `retention has the index pattern "${pattern}": ${refusal}`,
        );
      },
      () =>
        validate(
          rule.rollover !== undefined || rule.delete !== undefined,
          () =>
            `retention of "${pattern}" does nothing: add rollover or delete, such as { delete: { days: 30 } }, or remove it`,
        ),
      () =>
        validate(
          rule.rollover === undefined ||
            Object.values(rule.rollover).some((limit) => limit !== undefined),
          () =>
            `retention of "${pattern}" has a rollover without a limit, and would roll over at every run: add sizeGiB, days or documents`,
        ),
    ]),
  );
}

/** Returns the name of a rule's policy. */
const nameOfRule = (pattern: string, { name }: Pick<RetentionRule, "name">): string =>
  name ?? (pattern.replace(/[^a-z0-9._]+/g, "-").replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "") || "all");

/** Returns the policy of a rule. Unless the rule says otherwise, a longer pattern has a higher priority. */
export function policyOfRule(
  pattern: string,
  {
    rollover,
    delete: deletion,
    priority = pattern.replaceAll("*", "").length,
    name,
  }: Omit<RetentionRule, "managedIndices">,
): { readonly name: string; readonly body: RetentionPolicyBody } {
  const age = deletion && `${deletion.days}d`;
  const conditions = rollover ? { min_rollover_age: age } : { min_index_age: age };
  return {
    name: nameOfRule(pattern, { name }),
    body: {
      description: `Retention of ${pattern}`,
      default_state: "open",
      states: [
        {
          name: "open",
          actions: rollover
            ? [
                {
                  rollover: {
                    ...(rollover.sizeGiB !== undefined && { min_size: `${rollover.sizeGiB}gb` }),
                    ...(rollover.days !== undefined && { min_index_age: `${rollover.days}d` }),
                    ...(rollover.documents !== undefined && { min_doc_count: rollover.documents }),
                  },
                },
              ]
            : [],
          transitions: age ? [{ state_name: "delete", conditions }] : [],
        },
        ...(age ? [{ name: "delete", actions: [{ delete: {} }], transitions: [] }] : []),
      ],
      ism_template: [{ index_patterns: [pattern], priority }],
    },
  };
}
