import { createHash } from "node:crypto";
import type { RetentionPolicy } from "../../constructs";
import { isAttachedTo } from "../../constructs/opensearch/retention-policy-body";
import type { LiveResource, OpenSearchResources } from "../platform/open-search-resources";
import type { Json } from "../synthesis/tree";
import { type Difference, missing } from "./difference";

const ISM = "/_plugins/_ism";

/**
 * Compares retention policies with what OpenSearch has, and reports the indices for which one failed. Skips policies with
 * `onDrift: "ignore"`. Throws if OpenSearch does not answer.
 */
export async function findRetentionDrift(
  openSearch: OpenSearchResources,
  live: readonly LiveResource[],
  policies: readonly RetentionPolicy[],
): Promise<Difference[]> {
  const compared = policies.filter(({ onDrift }) => onDrift !== "ignore");
  if (compared.length === 0) {
    return [];
  }
  const found = live.filter(({ kind }) => kind === "retention-policy");
  return [
    ...compared.flatMap((policy) => comparePolicy(policy, found)),
    ...compared.flatMap((policy) => findShadows(policy, found)),
    ...(await findFailures(openSearch, compared)),
  ];
}

const calledPolicy = (name: string) => `retention policy ${name}`;

function comparePolicy(
  { name, body }: RetentionPolicy,
  live: readonly LiveResource[],
): Difference[] {
  const found = live.find((policy) => policy.name === name);
  if (found === undefined) {
    return [missing(calledPolicy(name))];
  }
  const [declared, actual] = [policyLines(body), policyLines(found.body)];
  // OpenSearch may spell a policy in its own way. os-init remembers how it did.
  const mark = `[fingerprint ${fingerprint(declared)} ${fingerprint(actual)}]`;
  if (found.body.description.endsWith(mark)) {
    return [];
  }
  const [wanted, shown] = [new Map(declared), new Map(actual)];
  return [...new Set([...wanted.keys(), ...shown.keys()])]
    .filter((field) => wanted.get(field) !== shown.get(field))
    .sort()
    .map((field) => ({
      resource: calledPolicy(name),
      field,
      declared: wanted.get(field) ?? "absent",
      actual: shown.get(field) ?? "absent",
    }));
}

/** Whether nobody has edited a policy since os-init applied it. */
export function isAsApplied({ description, ...rest }: Json): boolean {
  return description.endsWith(` ${fingerprint(policyLines({ description, ...rest }))}]`);
}

/** Reports another policy that OpenSearch attaches to new indices in place of the declared one, since it has a higher priority. */
function findShadows({ name, body }: RetentionPolicy, live: readonly LiveResource[]): Difference[] {
  const others = live
    .filter((policy) => policy.name !== name)
    .flatMap((policy) =>
      [policy.body.ism_template ?? []].flat().map((template: Json) => ({
        ...{ policy: policy.name, priority: template.priority },
        patterns: template.index_patterns as string[],
      })),
    );
  return (body.ism_template ?? []).flatMap(({ index_patterns, priority = 0 }) => {
    const [shadowed] = index_patterns
      .map((pattern) => pattern.replaceAll("*", "groundwork-probe"))
      .filter((probe) => isAttachedTo(probe, index_patterns))
      .flatMap((probe) =>
        others
          .filter((other) => other.priority > Number(priority))
          .filter(({ patterns }) => isAttachedTo(probe, patterns))
          .map(({ policy }) => ({ policy, probe })),
      );
    return shadowed === undefined
      ? []
      : [
          {
            resource: calledPolicy(name),
            actual: `policy ${shadowed.policy} with a higher priority is attached to its indices, such as ${shadowed.probe}`,
          },
        ];
  });
}

/** Reports indices of the policies for which an action failed for good. OpenSearch leaves them as they are. */
async function findFailures(
  openSearch: OpenSearchResources,
  policies: readonly RetentionPolicy[],
): Promise<Difference[]> {
  const names = policies.map(({ name }) => name);
  const indices: Json = (await openSearch.read(`${ISM}/explain?size=10000`)) ?? {};
  return Object.entries<Json>(indices)
    .filter(
      ([, { policy_id, action, retry_info }]) =>
        names.includes(policy_id) && (action?.failed === true || retry_info?.failed === true),
    )
    .map(([index, { policy_id, info }]) => ({
      resource: calledPolicy(policy_id),
      actual: `failed for index ${index}: ${info?.cause ?? info?.message ?? "no reason given"}. Fix the cause, then send POST ${ISM}/retry/${index} (docs/how-to/retention.md)`,
    }));
}

type Line = readonly [path: string, value: string];

/** What OpenSearch adds to a policy, as `policy_lines` in retention.sh. */
const ADDED = [
  /^(policy_id|last_updated_time|schema_version)=/,
  /^error_notification=null$/,
  /^ism_template\[\d+\]\.(last_updated_time=|priority=0$)/,
  /^states\[\d+\]\.actions\[\d+\]\.retry\.(count=3|backoff="exponential"|delay="1m")$/,
  /^states\[\d+\]\.actions\[\d+\]\.rollover\.copy_alias=false$/,
  /=\[ \]$/,
  /^description=""$/,
];

/** Returns a policy as retention.sh sees it: a line for each field, without what OpenSearch adds. */
function policyLines({ description, ...rest }: Json): Line[] {
  const own = { ...rest, description: description.replace(/ ?\[fingerprint [0-9a-f ]*\]$/, "") };
  const lines = linesOf(own).filter((line) => !ADDED.some((added) => added.test(line.join("="))));
  const hasTemplate = lines.some(([path]) => path.startsWith("ism_template"));
  return hasTemplate ? lines : [...lines, ["ism_template", "null"]];
}

/** Flattens JSON as `flatten` in rest.sh does. */
function linesOf(value: Json, path = ""): Line[] {
  if (typeof value !== "object" || value === null) {
    return [[path, JSON.stringify(value)]];
  }
  const entries = Object.entries<Json>(value);
  if (entries.length === 0) {
    return [[path, Array.isArray(value) ? "[ ]" : "{ }"]];
  }
  return entries.flatMap(([key, item]) => {
    const isPlain = key !== "" && !/[\].=["\\]/.test(key);
    const quoted = `${path}[${JSON.stringify(key).replaceAll("=", "%3D")}]`;
    const plain = path === "" ? key : `${path}.${key}`;
    return linesOf(item, Array.isArray(value) ? `${path}[${key}]` : isPlain ? plain : quoted);
  });
}

const fingerprint = (lines: readonly Line[]) =>
  createHash("sha256")
    .update(
      lines
        .map((line) => `${line.join("=")}\n`)
        .toSorted()
        .join(""),
    )
    .digest("hex");
