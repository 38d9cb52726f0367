import { environments } from "../../../environments";
import { PROJECT_ROOT } from "../cdktf";
import { type ChangeReport, totalsOf } from "./change";
import { describeDifferences } from "./describe";
import { differences } from "./diff";
import { rollsOf } from "./roll";
import {
  environmentsOf,
  type Json,
  type Synthesis,
  synthesizeTree,
  withRevision,
} from "./synthesis";

/** What the working tree changes against a revision, environment by environment. */
export function preview(revision: string, names: readonly string[]): ChangeReport[] {
  return withRevision(revision, (tree) => {
    const known = environmentsOf(tree);
    return names.map((environment) => {
      const base = known.includes(environment) ? synthesizeTree(tree, environment) : new Map();
      return compare(environment, revision, base, synthesizeTree(PROJECT_ROOT, environment));
    });
  });
}

/** The report over two synthesized trees. */
export function compare(
  environment: string,
  against: string,
  base: Synthesis,
  head: Synthesis,
): ChangeReport {
  const changes = describeDifferences(differences(base, head));
  const before = totalsOf(containersOf(base));
  return {
    environment,
    against,
    changes,
    rolls: rollsOf(changes, before.nodes),
    before,
    after: totalsOf(containersOf(head)),
    memoryBudgetMiB: environments[environment].memoryBudgetMiB,
  };
}

function containersOf(synthesis: Synthesis): Json[] {
  return [...synthesis.values()].flatMap((stack) =>
    Object.values<Json>(stack.resource?.docker_container ?? {}),
  );
}
