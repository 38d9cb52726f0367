import type { Environment } from "../../environments";
import { addressOf, includedMachinesOf } from "../../stacks/placement";
import { askEngine } from "../engine/docker";
import { poll } from "../terminal/poll";
import { CommandError } from "../terminal/terminal";
import { type Membership, membershipOf } from "./membership";

/** How long a Swarm may take to come together again: its managers may elect another leader once a machine is back. */
const PATIENCE_MS = 2 * 60_000;
const INTERVAL_MS = 2000;

/**
 * What keeps the Swarm of several machines from giving a container its networks, or nothing. One that was cut apart comes together later
 * than the clusters on it: a manager that is back makes the others elect a leader, and until then an engine waits in vain.
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
  // Each by itself: one that is cut off knows no leader, and the leader may not have missed it yet.
  const views = await Promise.all(
    memberships
      .filter(({ ControlAvailable }) => ControlAvailable)
      .map((manager) => lacksInTheEyesOf(manager, memberships)),
  );
  return views.find((lack) => lack !== undefined);
}

async function lacksInTheEyesOf(
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

/** Waits until the Swarm gives containers their networks. One machine alone needs none. */
export async function waitForHealthySwarm(environment: Environment): Promise<void> {
  if (!environment.machines) {
    return;
  }
  let told: string | undefined;
  const lack = await poll(
    () => swarmProblem(environment),
    (lacking) => lacking === undefined,
    {
      intervalMs: INTERVAL_MS,
      patienceMs: PATIENCE_MS,
      onWait(lacking) {
        if (lacking !== told) {
          told = lacking;
          console.log(`  waits: ${lacking}`);
        }
      },
    },
  );
  if (lack !== undefined) {
    throw new CommandError(
      `nothing was changed, because a new container would get no network: ${lack}; run docker node ls on a manager to see all members, or deploy without the failing machine: npm run up -- --exclude-machine <name>`,
    );
  }
}
