import { knownEnvironments } from "../synthesis/environment";
import {
  containersIn,
  environmentsOf,
  type Synthesis,
  synthesizeProject,
  synthesizeTree,
  withRevision,
} from "../synthesis/tree";
import { brokerDiskOf } from "./broker-disk";
import { refusalsOf, totalsOf } from "./change";
import { describeDifferences } from "./describe";
import { differences } from "./diff";
import { withMovedNodes } from "./moved-nodes";
import { type ChangeReport, NO_CONSEQUENCES } from "./report";
import { rollsOf } from "./roll";
import { describeScale } from "./scale";

/** Compares the working tree with a revision, one report for each environment. */
export function preview(revision: string, names: readonly string[]): Promise<ChangeReport[]> {
  return withRevision(revision, async (tree) => {
    const known = environmentsOf(tree);
    const reports: ChangeReport[] = [];
    for (const name of names) {
      const base = known.includes(name) ? await synthesizeTree(tree, name) : new Map();
      reports.push(compare(name, revision, base, await synthesizeProject(knownEnvironments[name])));
    }
    return reports;
  });
}

/** Compares two synthesized trees. @internal */
export function compare(
  environment: string,
  against: string,
  base: Synthesis,
  head: Synthesis,
): ChangeReport {
  const changes = withMovedNodes(describeDifferences(differences(base, head)));
  const [before, after] = [base, head].map((side) => totalsOf(containersIn(side)));
  return {
    environment,
    against,
    changes,
    rolls: rollsOf(changes, before.nodes),
    before,
    after,
    memoryBudgetMiB: knownEnvironments[environment].memoryBudgetMiB,
    brokerDisk: brokerDiskOf(knownEnvironments[environment], containersIn(head)),
    consequences: {
      ...NO_CONSEQUENCES,
      refusals: refusalsOf(changes),
      moves: describeScale(changes, before, after),
    },
  };
}
