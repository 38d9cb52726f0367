import { styleText } from "node:util";
import { brokerDiskWarnings, describeBrokerDisk } from "./broker-disk";
import type { Action, Change } from "./change";
import type { ChangeReport } from "./report";
import { describeFixedControllers, describeRoll, formerControllersIn } from "./roll";

/** The renderers of reports, by the name of the format. */
export const RENDERERS = {
  terminal: renderTerminal,
  markdown: renderMarkdown,
  json: renderJson,
} as const;

export type Format = keyof typeof RENDERERS;

const SIGNS: Readonly<Record<Action, string>> = {
  create: "+",
  destroy: "-",
  replace: "±",
  update: "~",
  move: ">",
  none: "=",
};

/** The outcome that is shown after the name of a resource. */
const OUTCOMES: Readonly<Record<Action, string>> = {
  create: "new",
  destroy: "removed",
  replace: "replaced",
  update: "updated in place",
  move: "moved",
  none: "not affected",
};

const COLORS: Partial<Record<Action, "green" | "red" | "yellow">> = {
  create: "green",
  destroy: "red",
  replace: "yellow",
};

const REFUSED = "npm run up would refuse this";

function byStack(changes: readonly Change[]): [string, Change[]][] {
  const stacks = [...new Set(changes.map(({ stack }) => stack))];
  return stacks.map((stack) => [stack, changes.filter((change) => change.stack === stack)]);
}

function destructionsOf({ changes }: ChangeReport): string[] {
  return [...new Set(changes.flatMap(({ destructive }) => destructive))];
}

function warningsOf({ changes, rolls, brokerDisk, consequences }: ChangeReport): string[] {
  const controllers = formerControllersIn(changes.flatMap(({ node }) => node ?? []));
  return [
    ...new Set(changes.flatMap(({ warnings }) => warnings)),
    ...rolls
      .filter(({ cluster }) => cluster !== "kafka" || controllers === undefined)
      .map(describeRoll),
    ...(controllers === undefined
      ? []
      : [`npm run up refuses this: ${describeFixedControllers(controllers, "the environment")}`]),
    ...consequences.moves,
    ...(brokerDisk ? brokerDiskWarnings(brokerDisk) : []),
  ];
}

function summaryOf({
  changes,
  before,
  after,
  memoryBudgetMiB,
  brokerDisk,
}: ChangeReport): string[] {
  const counts = (["create", "update", "replace", "destroy", "move"] as const)
    .map((action) => [action, changes.filter((change) => change.action === action).length] as const)
    .filter(([, count]) => count > 0)
    .map(([action, count]) => `${count} ${OUTCOMES[action]}`);
  const arrow = (old: number, now: number) => (old === now ? String(now) : `${old} -> ${now}`);
  const share = Math.round((100 * after.memoryReservationMiB) / memoryBudgetMiB);
  const over = after.memoryReservationMiB > memoryBudgetMiB ? ", OVER BUDGET" : "";
  return [
    counts.join(", ") || "no changes",
    `containers ${arrow(before.containers, after.containers)}`,
    `reserved memory ${arrow(before.memoryReservationMiB, after.memoryReservationMiB)} of ${memoryBudgetMiB} MiB (${share} %${over})`,
    ...(brokerDisk ? [describeBrokerDisk(brokerDisk)] : []),
  ];
}

function renderTerminal(reports: readonly ChangeReport[]): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    process.stdout.isTTY ? styleText(style, text) : text;
  return reports
    .map((report) => {
      const lines = [paint("bold", `${report.environment}, against ${report.against}`)];
      for (const [stack, changes] of byStack(report.changes)) {
        lines.push("", stack);
        for (const { action, subject, details } of changes) {
          const line = `  ${SIGNS[action]} ${subject}: ${OUTCOMES[action]}`;
          const color = COLORS[action];
          lines.push(color ? paint(color, line) : line);
          lines.push(...details.map((detail) => `      ${detail}`));
        }
      }
      const section = (title: string, items: readonly string[]) =>
        items.length > 0 ? ["", title, ...items.map((item) => `  ! ${item}`)] : [];
      lines.push(...section(paint("red", REFUSED), report.consequences.refusals));
      lines.push(...section(paint("red", "destructive"), destructionsOf(report)));
      lines.push(...section(paint("yellow", "warnings"), warningsOf(report)));
      lines.push(...section("afterwards", report.consequences.afterwards));
      return [...lines, "", ...summaryOf(report)].join("\n");
    })
    .join("\n\n");
}

function renderMarkdown(reports: readonly ChangeReport[]): string {
  return reports
    .map((report) => {
      const lines = [`### ${report.environment}, against \`${report.against}\``, ""];
      const section = (title: string, items: readonly string[]) =>
        items.length > 0 ? [`**${title}**`, "", ...items.map((item) => `- ${item}`), ""] : [];
      lines.push(...section(`⚠️ ${REFUSED}`, report.consequences.refusals));
      lines.push(...section("⚠️ Destructive", destructionsOf(report)));
      lines.push(...section("Warnings", warningsOf(report)));
      lines.push(...section("Afterwards", report.consequences.afterwards));
      for (const [stack, changes] of byStack(report.changes)) {
        lines.push(`<details open><summary>${stack}: ${changes.length}</summary>`, "");
        lines.push("| | change | details |", "|---|---|---|");
        for (const { action, subject, details } of changes) {
          const cell = details.map(escapeCell).join("<br>");
          lines.push(
            `| \`${SIGNS[action]}\` | ${escapeCell(subject)}, ${OUTCOMES[action]} | ${cell} |`,
          );
        }
        lines.push("", "</details>", "");
      }
      return [...lines, summaryOf(report).join("; ")].join("\n");
    })
    .join("\n\n");
}

/** Escapes a value, so that it stays in its table cell, is no markup and mentions nobody. */
function escapeCell(text: string): string {
  return text
    .replace(/[\\`*_|[\]<>]/g, (character) => `\\${character}`)
    .replaceAll("\n", " ")
    .replaceAll("@", "@\u200b");
}

function renderJson(reports: readonly ChangeReport[]): string {
  return JSON.stringify(reports, null, 2);
}
