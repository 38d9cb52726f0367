import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type FileChange, facts } from "../../constructs/container/file-change";
import {
  APPLICATIONS_FILE,
  describeApplications,
} from "../../constructs/kafka/declared-applications";
import { describeTopics, TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import {
  APPLICATIONS_DIR,
  describeApplicationFile,
} from "../../constructs/opensearch/declared-applications";
import {
  describeResourceFile,
  isResourceFile,
} from "../../constructs/opensearch/declared-resource";
import { describeRecordingRules } from "../../constructs/prometheus/describe-recording-rules";
import { RECORDING_FILE } from "../../constructs/prometheus/recording-rule";
import type { Json } from "../synthesis/tree";

/**
 * Describes the change of a file that is uploaded to a container. Topics, templates, dashboards and recording rules are described even if the container
 * is new; any other file only if the container stays.
 */
export function describeFile(
  path: string,
  before: string | undefined,
  after: string | undefined,
  containerStays: boolean,
): FileChange {
  if (before === after) {
    return facts();
  }
  if (path === TOPICS_FILE) {
    return describeTopics(before, after);
  }
  if (isResourceFile(path)) {
    return describeResourceFile(path, before, after);
  }
  if (path.startsWith("/etc/grafana/dashboards/")) {
    return describeDashboard(before, after);
  }
  if (path === APPLICATIONS_FILE) {
    return describeApplications(before, after);
  }
  // The platform's own roles are not applications.
  if (path.startsWith(`${APPLICATIONS_DIR}/`) && !basename(path).startsWith("groundwork_")) {
    return describeApplicationFile(path, before, after);
  }
  if (path === "/etc/prometheus/declared.json") {
    return containerStays ? describeDeclared(before, after) : facts();
  }
  if (path === RECORDING_FILE) {
    return describeRecordingRules(before, after);
  }
  if (!containerStays) {
    return facts();
  }
  const what = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  return facts(`${path.endsWith(".jar") ? "program" : "file"} ${path} ${what}`);
}

function describeDashboard(before?: string, after?: string): FileChange {
  const [old, now] = [before, after].map((text) => text && JSON.parse(text));
  const title = (now ?? old).title;
  if (old === undefined || now === undefined) {
    return facts(`dashboard ${title}: ${old ? "removed" : "added"}`);
  }
  const panels = (model: Json) =>
    new Map<number, Json>(model.panels.map((panel: Json) => [panel.id, panel]));
  const [was, is] = [panels(old), panels(now)];
  const count = (ids: number[], what: string) =>
    ids.length === 0 ? [] : [`${ids.length} panel${ids.length === 1 ? "" : "s"} ${what}`];
  const what = [
    ...count(
      [...is.keys()].filter((id) => was.has(id) && !isDeepStrictEqual(was.get(id), is.get(id))),
      "changed",
    ),
    ...count(
      [...is.keys()].filter((id) => !was.has(id)),
      "added",
    ),
    ...count(
      [...was.keys()].filter((id) => !is.has(id)),
      "removed",
    ),
    ...Object.keys({ ...old, ...now })
      .filter((key) => key !== "panels" && !isDeepStrictEqual(old[key], now[key]))
      .map((key) => `${key} changed`),
  ];
  return facts(`dashboard ${title}: ${what.join(", ")}`);
}

function describeDeclared(before = "", after = ""): FileChange {
  const numbers = (text: string) =>
    new Map<string, string>(
      text === ""
        ? []
        : JSON.parse(text).groups[0].rules.map(({ record, labels = {}, expr }: Json) => [
            [
              record.replace("groundwork_declared_", ""),
              ...Object.values(labels),
              // What is declared by a pattern has the pattern in its query.
              ...(/=~"[^"]*"/.exec(expr) ?? []),
            ].join(" "),
            /(\d+)\)?$/.exec(expr)?.[1] ?? expr,
          ]),
    );
  const [old, now] = [numbers(before), numbers(after)];
  const details = [...new Set([...old.keys(), ...now.keys()])]
    .filter((key) => old.get(key) !== now.get(key))
    .map((key) => `declared ${key} ${old.get(key) ?? "unset"} -> ${now.get(key) ?? "unset"}`);
  return facts(...details);
}
