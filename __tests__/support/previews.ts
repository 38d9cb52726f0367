import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog as declared } from "../../catalog";
import { DashboardProvider, IndexTemplate, type Topic } from "../../constructs";
import type { Environment } from "../../environments";
import { laptop } from "../../environments/laptop";
import { compare } from "../../operations/changes/preview";
import { RENDERERS } from "../../operations/changes/render";
import { type ChangeReport, exitCodeOf } from "../../operations/changes/report";
import type { Synthesis } from "../../operations/synthesis/tree";
import type { Catalog } from "../../stacks/platform";
import { type Json, synthesize } from "./platform";
import { shippedAlertGroups, shippedDashboards } from "./shipped-catalog";

/** What Groundwork ships of the catalog of this clone. */
export const catalog: Catalog = {
  ...declared,
  topics: [
    { name: "infra-events", partitions: 3 },
    { name: "application-logs", partitions: 6 },
  ],
  applications: [],
  componentTemplates: [],
  ingestPipelines: [],
  retentionPolicies: [],
  indexTemplates: declared.indexTemplates.filter(({ name }) => name === "logs_template"),
  dashboards: new DashboardProvider(shippedDashboards),
  // laptop has no backups.
  alertGroups: shippedAlertGroups.filter(({ name }) => name !== "backup"),
};

export function synthesis(environment: Environment = laptop, of: Catalog = catalog): Synthesis {
  return new Map(Object.entries(synthesize(environment, of).stacks));
}

export const BASE = synthesis();

/** Returns a copy of a synthesis whose JSON is changed, to simulate a change of the code. */
export function edited(change: (stacks: Record<string, Json>) => void): Synthesis {
  const stacks: Record<string, Json> = JSON.parse(JSON.stringify(Object.fromEntries(BASE)));
  change(stacks);
  return new Map(Object.entries(stacks));
}

export const report = (base: Synthesis, head: Synthesis): ChangeReport =>
  compare("laptop", "main", base, head);
const rendered = (base: Synthesis, head: Synthesis) => RENDERERS.terminal([report(base, head)]);

export const withTopics = (topics: readonly Topic[]) => synthesis(laptop, { ...catalog, topics });
export const [infraEvents, applicationLogs] = catalog.topics;

/** Synthesizes with a part of the catalog read from a folder with these files. */
function withFiles(
  files: Readonly<Record<string, object>>,
  read: (directory: string) => Partial<Catalog>,
): Synthesis {
  const directory = mkdtempSync(join(tmpdir(), "preview-"));
  try {
    for (const [name, body] of Object.entries(files)) {
      mkdirSync(join(directory, name, ".."), { recursive: true });
      writeFileSync(join(directory, name), JSON.stringify(body));
    }
    return synthesis(laptop, { ...catalog, ...read(directory) });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Synthesizes with these index templates in place of logs_template. */
export function withTemplates(files: Record<string, object>): Synthesis {
  const named = Object.entries(files).map(([name, body]) => [`${name}.json`, body]);
  return withFiles(Object.fromEntries(named), (directory) => ({
    indexTemplates: [
      ...catalog.indexTemplates.filter(({ name }) => name !== "logs_template"),
      ...IndexTemplate.fromDirectory(directory),
    ],
  }));
}
export const TEMPLATE: object = catalog.indexTemplates.find(({ name }) => name === "logs_template")
  ?.body as object;

export function withDashboards(change: (files: Record<string, Json>) => void): Synthesis {
  const files = Object.fromEntries(
    catalog.dashboards.dashboards.map(({ file, content }) => [file, JSON.parse(content)]),
  );
  change(files);
  return withFiles(files, (directory) => ({
    dashboards: DashboardProvider.fromDirectory(directory),
  }));
}

export const withRules = (change: (rules: Json[]) => void) => {
  const alertGroups: Json[] = JSON.parse(JSON.stringify(catalog.alertGroups));
  change(alertGroups);
  return synthesis(laptop, { ...catalog, alertGroups });
};

export const withNotifications = (change: object) =>
  synthesis(laptop, { ...catalog, notifications: { ...catalog.notifications, ...change } });

export const setImage = (stacks: Record<string, Json>, from: string, to: string) => {
  for (const stack of Object.values(stacks)) {
    for (const image of Object.values<Json>(stack.resource.docker_image ?? {})) {
      if (image.name === from) {
        image.name = to;
      }
    }
  }
};

export const renameId = (resources: Json, from: string, to: string) => {
  resources[to] = resources[from];
  delete resources[from];
};
export const idOf = (resources: Json, name: string) =>
  Object.keys(resources).find((id) => resources[id].name === name) as string;

/** Tests the output and exit code of previews, each for a change from one synthesis to another. */
export function testPreviews(
  cases: readonly (readonly [
    change: string,
    exitCode: number,
    make: () => [Synthesis, Synthesis],
  ])[],
): void {
  describe("a preview of", () => {
    test.each(cases)("%s says what it means and exits with %i", (_, exitCode, make) => {
      const [base, head] = make();
      expect(rendered(base, head)).toMatchSnapshot();
      expect(exitCodeOf([report(base, head)])).toBe(exitCode);
    });
  });
}
