import { RENDERERS as PLAN_RENDERERS } from "../changes/render";
import { renderAcceptance } from "../checks/row";
import { describeLeftOver, renderLeftOver } from "../inventory/item";
import { counted, firstOf } from "../terminal/terminal";
import { describeDifference } from "./difference";
import { type DriftReport, hasDrift } from "./drift";

/** The renderers of a report, by the name of the format. */
export const RENDERERS = {
  terminal: renderTerminal,
  markdown: renderMarkdown,
  json: renderJson,
} as const;

export type Format = keyof typeof RENDERERS;

/** The most lines of a section that are shown. JSON has all. */
const MOST_LINES = 50;

/** Returns the last line: what was found, and what to do. */
function summaryOf(report: DriftReport): string {
  const { environment, plan, guarantees, resources, failures } = report;
  const found = [
    ...(plan.changes.length > 0 ? [counted(plan.changes.length, "planned change")] : []),
    ...(guarantees.length > 0
      ? [
          `${counted(guarantees.length, "guarantee")} that ${guarantees.length === 1 ? "does" : "do"} not hold`,
        ]
      : []),
    ...(resources.length > 0 ? [counted(resources.length, "difference")] : []),
  ].join(", ");
  const known = hasDrift(report) ? `environment "${environment}" has drift: ${found}` : "";
  if (failures.length > 0) {
    return `environment "${environment}" could not be compared as a whole${known && `; ${found}`}`;
  }
  return (
    (known &&
      `${known}. Run npm run up to deploy the declaration, or declare what is there (docs/how-to/drift.md)`) ||
    `environment "${environment}" has no drift`
  );
}

function renderTerminal(report: DriftReport): string {
  const { plan, guarantees, notes, failures } = report;
  const section = (title: string, text: readonly string[]) =>
    text.length > 0 ? [title, "", ...text, ""] : [];
  return [
    ...section("planned changes", plan.changes.length > 0 ? [PLAN_RENDERERS.terminal([plan])] : []),
    ...section(
      "guarantees that do not hold",
      guarantees.length > 0 ? [renderAcceptance(guarantees)] : [],
    ),
    ...section(
      "topics, templates and users that differ",
      firstOf(report.resources.map(describeDifference), MOST_LINES),
    ),
    ...(report.leftOver.length > 0 ? [renderLeftOver(report.leftOver), ""] : []),
    ...section("notes", firstOf(notes, MOST_LINES)),
    ...section("not compared", firstOf(failures, MOST_LINES)),
    summaryOf(report),
  ].join("\n");
}

function renderMarkdown(report: DriftReport): string {
  const { plan, guarantees, notes, failures } = report;
  const section = (title: string, text: readonly string[]) =>
    text.length > 0 ? [`## ${title}`, "", ...text, ""] : [];
  const items = (lines: readonly string[]) =>
    firstOf(lines, MOST_LINES).map((line) => `- ${codeOf(line)}`);
  return [
    `${summaryOf(report)}.`,
    "",
    ...section("Planned changes", plan.changes.length > 0 ? [PLAN_RENDERERS.markdown([plan])] : []),
    ...section(
      "Guarantees that do not hold",
      firstOf(
        guarantees.map(({ requirement, guarantee, failures: lines }) =>
          [
            `- ${requirement}, ${codeOf(guarantee)}`,
            ...firstOf(lines, MOST_LINES).map((line) => `  - ${codeOf(line)}`),
          ].join("\n"),
        ),
        MOST_LINES,
      ),
    ),
    ...section(
      "Topics, templates and users that differ",
      items(report.resources.map(describeDifference)),
    ),
    ...section("Left over", items(report.leftOver.map(describeLeftOver))),
    ...section("Notes", items(notes)),
    ...section("Not compared", items(failures)),
  ].join("\n");
}

/** Shows a line as code, so that nothing in it is markup or mentions anybody. */
function codeOf(text: string): string {
  return `\`\` ${text.replace(/\s*\n\s*/g, " ").replace(/`{2,}/g, "`")} \`\``;
}

function renderJson(report: DriftReport): string {
  return JSON.stringify({ drift: hasDrift(report), ...report }, null, 2);
}
