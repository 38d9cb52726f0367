import type { Environment } from "../../environments";
import { addressOf, includedMachinesOf } from "../../stacks/placement";
import { askEngine } from "../engine/docker";
import { poll } from "../terminal/poll";
import { CommandError } from "../terminal/terminal";
import { type Membership, membershipOf } from "./membership";

/** How long a Swarm may take to recover: its managers may elect another leader when a machine is back. */
const PATIENCE_MS = 2 * 60_000;
const INTERVAL_MS = 2000;

/**
 * Returns why the Swarm cannot attach a container to its networks; undefined if it is healthy. After a network partition it recovers
 * later than the clusters on it: a returning manager triggers a leader election, and until then engines wait in vain.
 */
export async function swarmProblem(environment: Environment): Promise<string | undefined> {
  const machines = includedMachinesOf(environment).flatMap((machine) => machine ?? []);
  const memberships: Membership[] = [];
  for (const membership of await Promise.all(machines.map(membershipOf))) {
    if (typeof membership === "string") {
      return membership;
    }
    memberships.push(membership);
  }
  // Every manager is asked: one that is cut off knows no leader, and the leader may not have noticed yet.
  const problems = await Promise.all(
    memberships
      .filter(({ ControlAvailable }) => ControlAvailable)
      .map((manager) => problemSeenBy(manager, memberships)),
  );
  return problems.find((problem) => problem !== undefined);
}

async function problemSeenBy(
  { machine }: Membership,
  memberships: readonly Membership[],
): Promise<string | undefined> {
  const { exitCode, output } = await askEngine(
    addressOf(machine),
    ...["node", "ls", "--format", "{{.ID}} {{.Status}} {{.ManagerStatus}}"],
  );
  if (exitCode !== 0) {
    return `the Swarm is unhealthy: machine ${machine.name} reports: ${output.split("\n").at(-1)}`;
  }
  const nodes = new Map(
    output.split("\n").map((line) => {
      const [id, ...states] = line.split(" ").filter((word) => word !== "");
      return [id, states];
    }),
  );
  for (const { machine: member, NodeID } of memberships) {
    const [status = "not a member", managerStatus] = nodes.get(NodeID) ?? [];
    const unwell = status === "Ready" ? managerStatus === "Unreachable" && managerStatus : status;
    if (unwell) {
      return `the Swarm is unhealthy: machine ${machine.name} reports that machine ${member.name} is ${unwell.toLowerCase()}`;
    }
  }
  return undefined;
}

/** Waits until the Swarm is healthy, and throws after two minutes. One machine needs no Swarm. */
export async function waitForHealthySwarm(environment: Environment): Promise<void> {
  if (!environment.machines) {
    return;
  }
  let printed: string | undefined;
  const problem = await poll(
    () => swarmProblem(environment),
    (current) => current === undefined,
    {
      intervalMs: INTERVAL_MS,
      patienceMs: PATIENCE_MS,
      onWait(current) {
        if (current !== printed) {
          printed = current;
          console.log(`  waiting: ${current}`);
        }
      },
    },
  );
  if (problem !== undefined) {
    throw new CommandError(
      `no changes made, because a new container would get no network: ${problem}; run docker node ls on a manager to see all members, or deploy without the failing machine: npm run up -- --exclude-machine <name>`,
    );
  }
}
