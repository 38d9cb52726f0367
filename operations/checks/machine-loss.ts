import { CLUSTERS } from "../../constructs/security/principals";
import { type Environment, votersOf } from "../../environments";
import { includedMachinesOf, isExcluded, machineOf, VOTERS } from "../../stacks/placement";
import type { Platform } from "../platform/platform";
import { type Replicated, type ReplicatedData, readReplicas } from "../platform/replicated";
import { firstOf, listed } from "../terminal/terminal";
import { type AcceptanceRow, checkUntilMet } from "./row";

/** How many partitions or shards are named. */
const NAMED = 3;

/** Checks whether any one machine may be lost. Returns no check for a single machine. */
export function machineLossChecks(platform: Platform): Promise<AcceptanceRow>[] {
  const { environment } = platform;
  const { machines, excludedMachines = [] } = environment;
  if (!machines) {
    return [];
  }
  const present = includedMachinesOf(environment).flatMap((machine) => machine?.name ?? []);
  const look = async () => {
    const kept = await readReplicas(platform);
    return typeof kept === "string"
      ? present.map(() => [kept])
      : present.map((machine) => harmOfLosing(environment, machine, kept));
  };
  if (excludedMachines.length > 0) {
    return [look().then((harm) => whileExcluded(excludedMachines, present, harm))];
  }
  return [
    checkUntilMet("NFR-LOSS", `any one machine may be lost: ${present.join(", ")}`, async () =>
      (await look()).flat(),
    ),
  ];
}

/** Reports which further machines may be lost. With excluded machines, a loss that is not tolerated is no failure. */
function whileExcluded(
  excludedMachines: readonly string[],
  present: readonly string[],
  harm: readonly (readonly string[])[],
): AcceptanceRow {
  const spare = present.filter((_, i) => harm[i].length === 0);
  return {
    requirement: "NFR-LOSS",
    guarantee: `with ${listed(excludedMachines)} excluded, one of these machines may also be lost: ${spare.join(", ") || "none"}`,
    failures: [],
  };
}

/** Describes what becomes unavailable if a machine is lost. @internal */
export function harmOfLosing(
  environment: Environment,
  machine: string,
  kept: ReplicatedData,
): string[] {
  const stays = (node: string) => machineOf(environment, node)?.name !== machine;
  const short = (replicated: readonly Replicated[]) =>
    replicated.filter(({ nodes, needs }) => nodes.filter(stays).length < needs);
  const named = (replicated: readonly Replicated[]) =>
    firstOf(
      replicated.map(({ name }) => name),
      NAMED,
    ).join(", ");
  const partitions = short(kept.partitions);
  const shards = short(kept.shards);
  return [
    ...quorumHarm(environment, machine, stays),
    ...(partitions.length > 0
      ? [
          `losing ${machine} blocks producers with acks=all, since these partitions fall below min.insync.replicas: ${named(partitions)}`,
        ]
      : []),
    ...(shards.length > 0
      ? [`losing ${machine} leaves these shards without a replica: ${named(shards)}`]
      : []),
  ];
}

function quorumHarm(
  environment: Environment,
  machine: string,
  stays: (node: string) => boolean,
): string[] {
  return CLUSTERS.flatMap((cluster) => {
    const voters = votersOf(environment, cluster);
    const count = voters.length;
    const left = voters.filter((node) => !isExcluded(environment, node)).filter(stays);
    return left.length > count / 2
      ? []
      : [
          `losing ${machine} leaves ${left.length} of ${count} ${VOTERS[cluster]} of ${cluster}, which is no majority`,
        ];
  });
}
