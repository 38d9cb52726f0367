import type { RetentionPolicy } from "../../constructs";
import { meaningOf } from "../../constructs/init-sidecar/exit-codes";
import { isSecured, retentionIn } from "../../environments";
import { pendingSecrets } from "../../secrets/platform-secrets";
import type { Catalog } from "../../stacks/platform";
import type { ChangeReport } from "../changes/report";
import { checkWithoutChanges, describeUndeclared } from "../checks/acceptance";
import { loginFailures } from "../checks/logins";
import type { AcceptanceRow } from "../checks/row";
import { reportKafka } from "../inventory/inventory";
import { type Item, staysAfterUp } from "../inventory/item";
import { kafkaItems } from "../inventory/kafka";
import { templateItems } from "../inventory/open-search";
import { inspectContainers } from "../platform/containers";
import type { LiveResource } from "../platform/open-search-resources";
import type { Platform } from "../platform/platform";
import { unlessSilent } from "../platform/silent";
import type { Run } from "../run/run";
import { sidecarsIn } from "../synthesis/container";
import { CommandError } from "../terminal/terminal";
import type { Difference } from "./difference";
import { kafkaDriftIn } from "./kafka";
import { findOpenSearchConfigurationDrift } from "./open-search-configuration";
import { findOpenSearchUserDrift } from "./open-search-users";
import { findRetentionDrift } from "./retention";
import { findTemplateDrift } from "./templates";

/** How the running platform differs from its declaration. */
export interface DriftReport {
  readonly environment: string;
  /** What Terraform would change. */
  readonly plan: ChangeReport;
  /** The guarantees that do not hold. */
  readonly guarantees: readonly AcceptanceRow[];
  /** The topics, templates, users and sidecars that are not as declared. */
  readonly resources: readonly Difference[];
  /** What is no longer declared and stays. It is no drift. */
  readonly leftOver: readonly Item[];
  /** What else is no drift. */
  readonly notes: readonly string[];
  /** What could not be compared, since a service did not answer. */
  readonly failures: readonly string[];
}

/** The platform is as declared. */
export const EXIT_NO_DRIFT = 0;
/** Something could not be compared. */
export const EXIT_FAILED = 1;
/** Something differs. @internal */
export const EXIT_DRIFT = 2;
/** Nothing was compared, since another command changes the platform. */
export const EXIT_CHANGING = 3;

/** Whether anything is known to differ. */
export function hasDrift({ plan, guarantees, resources }: DriftReport): boolean {
  return plan.changes.length + guarantees.length + resources.length > 0;
}

/** Returns the exit code of a report. What could not be compared is never "no drift". */
export function exitCodeOf(report: DriftReport): number {
  if (report.failures.length > 0) {
    return EXIT_FAILED;
  }
  return hasDrift(report) ? EXIT_DRIFT : EXIT_NO_DRIFT;
}

/** Describes the secrets that a synth would write. A command that changes nothing compares nothing then. */
export function describePendingSecrets(
  environment: Platform["environment"],
  { applications }: Pick<Catalog, "applications">,
  command = "npm run drift",
): string[] {
  const pending = pendingSecrets(environment, applications);
  return pending.map((what) => `${what}, and ${command} writes no secrets: run npm run up first`);
}

/** Compares a planned platform with its declaration. Changes nothing: it starts no sidecar. */
export async function findDrift(run: Run, catalog: Catalog): Promise<DriftReport> {
  const { platform, containers } = run;
  const { environment, openSearch } = platform;
  const { topics, applications } = catalog;
  const retentionPolicies = retentionIn(environment, catalog.retentionPolicies);
  const failures: string[] = [];
  const plan = await run.report();
  const live = openSearch.resources.list();
  const [rows, report, templates, ...others] = await Promise.all([
    checkWithoutChanges(platform, catalog, containers),
    unlessSilent(reportKafka(platform, catalog), { topics: [], users: [] }, failures),
    unlessSilent(
      compareTemplates(platform, live, catalog),
      { items: [], differences: [] },
      failures,
    ),
    unlessSilent(compareRetention(platform, live, retentionPolicies), [], failures),
    ...(isSecured(environment)
      ? [
          unlessSilent(
            findOpenSearchUserDrift(openSearch.resources, applications, {
              hasRetention: retentionPolicies.length > 0,
              hasBackups: environment.backup !== undefined,
            }),
            [],
            failures,
          ),
          unlessSilent(findOpenSearchConfigurationDrift(openSearch.resources), [], failures),
          passwordDrift(platform, catalog),
        ]
      : []),
    unlessSilent(sidecarFailures(platform, sidecarsIn(containers)), [], failures),
  ]);
  const ofKafka = kafkaDriftIn(report, topics);
  return {
    environment: environment.name,
    plan,
    guarantees: rows.filter(({ failures: lines }) => lines.length > 0),
    resources: [...ofKafka.differences, ...templates.differences, ...others.flat()],
    leftOver: [...kafkaItems(report), ...templates.items].filter(staysAfterUp),
    notes: describeUndeclared(ofKafka),
    // One that does not answer fails several comparisons.
    failures: [...new Set(failures)],
  };
}

async function compareTemplates(
  { environment, openSearch: { resources } }: Platform,
  listed: Promise<readonly LiveResource[]>,
  catalog: Catalog,
): Promise<{ readonly items: readonly Item[]; readonly differences: readonly Difference[] }> {
  const live = await listed;
  const { componentTemplates, ingestPipelines, indexTemplates } = catalog;
  const declared = [...componentTemplates, ...ingestPipelines, ...indexTemplates];
  return {
    items: templateItems(live, environment, catalog),
    differences: await findTemplateDrift(resources, live, declared),
  };
}

async function compareRetention(
  { openSearch: { resources } }: Platform,
  listed: Promise<readonly LiveResource[]>,
  policies: readonly RetentionPolicy[],
): Promise<Difference[]> {
  return findRetentionDrift(resources, await listed, policies);
}

async function passwordDrift(platform: Platform, { applications }: Catalog): Promise<Difference[]> {
  const failures = await loginFailures(platform, applications);
  return failures.map((line) => {
    const [, name, reason] = /^application (\S+): (.*)$/s.exec(line) ?? [];
    return { resource: `application/${name}`, actual: reason };
  });
}

/** Describes the sidecars whose last run failed: what they provision may not be in effect. Throws if an engine does not answer. */
async function sidecarFailures(
  platform: Platform,
  sidecars: readonly string[],
): Promise<Difference[]> {
  const { states, gone } = await inspectContainers(platform, sidecars);
  if (gone.length > 0) {
    throw new CommandError(gone.map(({ description }) => description).join("\n"));
  }
  return states
    .filter(({ State }) => State.ExitCode !== 0)
    .map(({ Name, State: { ExitCode } }) => ({
      resource: `sidecar ${Name.slice(1)}`,
      actual: `its last run exited with ${ExitCode}: ${meaningOf(ExitCode)}`,
    }));
}
