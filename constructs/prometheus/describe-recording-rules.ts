import { isDeepStrictEqual } from "node:util";
import { type FileChange, facts } from "../container/file-change";
import { parseRecordingGroups } from "./recording-rule";

/** Describes which recording rules are new, changed or removed, from Prometheus' rule file. */
export function describeRecordingRules(before?: string, after?: string): FileChange {
  const [old, now] = [before, after].map(rulesIn);
  const details = [...new Set([...old.keys(), ...now.keys()])]
    .filter((name) => !isDeepStrictEqual(old.get(name), now.get(name)))
    .map((name) => {
      const what = !old.has(name) ? "added" : now.has(name) ? "changed" : "removed";
      return `recording rule ${name}: ${what}`;
    });
  return facts(...details);
}

/** Returns what each metric is recorded from. Several rules may record one metric. */
function rulesIn(text?: string): ReadonlyMap<string, readonly object[]> {
  const rules = new Map<string, object[]>();
  for (const { name: _, rules: ofGroup, ...group } of text ? parseRecordingGroups(text) : []) {
    for (const { record, ...rule } of ofGroup) {
      rules.set(record, [...(rules.get(record) ?? []), { ...group, ...rule }]);
    }
  }
  return rules;
}
