import type { Environment, Machine } from "../../environments";
import { addressOf } from "../../stacks/placement";
import { dockerAt, tryDockerAt } from "../engine/docker";
import { fileOf } from "../synthesis/environment";
import { poll } from "../terminal/poll";
import { CommandError, listed, refuse } from "../terminal/terminal";
import { type Membership, membershipOf } from "./membership";

/** The number of managers. They decide by majority: three survive the loss of one, and more add no benefit here. */
const MANAGERS = 3;

/** Managers report a member as down sooner than this after its last heartbeat. */
const HEARTBEATS_MS = 30_000;
const INTERVAL_MS = 500;

/** Port on which managers accept new members. */
const PORT = 2377;

/**
 * Joins the machines of an environment into one Docker Swarm, with the first three as managers. Throws before any change if an engine
 * does not answer or is in another Swarm.
 */
export async function makeSwarm({ name, machines }: Environment): Promise<void> {
  if (!machines) {
    throw new CommandError(
      `environment "${name}" has one machine and needs no Swarm: for several, declare machines in ${fileOf(name)}`,
    );
  }
  const found = await Promise.all(machines.map(membershipOf));
  refuse(found.filter((one) => typeof one === "string"));
  const memberships = found.filter((one) => typeof one !== "string");
  const members = memberships.filter(({ LocalNodeState }) => LocalNodeState !== "inactive");
  const manager = members.find(({ ControlAvailable }) => ControlAvailable);
  refuse([...sameEngines(memberships), ...(await unknownMembersOf(manager, members))]);

  const first = manager?.machine ?? machines[0];
  if (manager) {
    await removeFormerNodes(manager.machine, memberships);
  } else {
    await dockerAt(addressOf(first), "swarm", "init", "--advertise-addr", first.address);
    console.log(`${first.name}: created the Swarm as its first manager`);
  }
  const joining = memberships.filter(
    ({ machine, LocalNodeState }) => machine !== first && LocalNodeState === "inactive",
  );
  try {
    for (const one of memberships.filter(({ machine }) => manager || machine !== first)) {
      const joins = joining.includes(one);
      const promotes = machines.indexOf(one.machine) < MANAGERS && !one.ControlAvailable;
      if (joins) {
        await join(one.machine, first);
      }
      if (promotes) {
        await promote(one.machine, first);
      }
      console.log(`${nameOf(one)}: ${outcomeOf(joins, promotes)}`);
    }
  } finally {
    if (joining.length > 0) {
      // Other users of the machines could read the token from the list of processes.
      await dockerAt(addressOf(first), "swarm", "join-token", "--rotate", "--quiet", "worker");
    }
  }
}

function outcomeOf(joins: boolean, promotes: boolean): string {
  if (joins) {
    return promotes ? "joined as manager" : "joined as worker";
  }
  return promotes ? "promoted to manager" : "already in the Swarm";
}

/** Joins a machine as a worker, since the token for managers would be worth the whole Swarm. Errors do not contain the token. */
async function join(machine: Machine, manager: Machine): Promise<void> {
  const token = await dockerAt(addressOf(manager), "swarm", "join-token", "--quiet", "worker");
  const { exitCode, output } = await tryDockerAt(
    addressOf(machine),
    ...["swarm", "join", "--token", token, "--advertise-addr", machine.address],
    `${manager.address.includes(":") ? `[${manager.address}]` : manager.address}:${PORT}`,
  );
  if (exitCode !== 0) {
    throw new CommandError(
      `machine ${machine.name} cannot join the Swarm of machine ${manager.name} at ${manager.address}: ${output.replaceAll(token, "<token>")}; open TCP port ${PORT} between the machines, then run npm run swarm again`,
    );
  }
}

async function promote(machine: Machine, manager: Machine): Promise<void> {
  const id = await dockerAt(addressOf(machine), "info", "--format", "{{.Swarm.NodeID}}");
  await dockerAt(addressOf(manager), "node", "promote", id);
}

/** Removes the former nodes of reinstalled machines: they have the same address, are down forever and still count for the majority. */
async function removeFormerNodes(
  manager: Machine,
  memberships: readonly Membership[],
): Promise<void> {
  const formerNodes = async () => {
    const ids = await dockerAt(addressOf(manager), "node", "ls", "--format", "{{.ID}}");
    const nodes = await dockerAt(
      addressOf(manager),
      ...["node", "inspect", "--format"],
      "{{.ID}} {{.Spec.Role}} {{.Status.State}} {{.Status.Addr}}",
      ...ids.split("\n"),
    );
    return nodes.split("\n").flatMap((line) => {
      const [id, role, state, address] = line.split(" ");
      const self = memberships.find(({ machine }) => machine.address === address);
      return self && self.NodeID !== id ? [{ self, id, role, state }] : [];
    });
  };
  // A node that has just died is still reported as ready, or as unknown after a leader election.
  const found = await poll(formerNodes, (all) => all.every(({ state }) => state === "down"), {
    intervalMs: INTERVAL_MS,
    patienceMs: HEARTBEATS_MS,
  });
  for (const { self, id, role } of found.filter(({ state }) => state === "down")) {
    if (role === "manager") {
      await dockerAt(addressOf(manager), "node", "demote", id);
    }
    await dockerAt(addressOf(manager), "node", "rm", id);
    console.log(`${nameOf(self)}: removed its former node from the Swarm`);
  }
}

function sameEngines(memberships: readonly Membership[]): string[] {
  return memberships.flatMap((one, i) => {
    const same = memberships.slice(0, i).find(({ engineId }) => engineId === one.engineId);
    return same
      ? [
          `machines ${nameOf(same)} and ${nameOf(one)} are the same Docker engine: give each machine its own, since replicas on one engine are lost together`,
        ]
      : [];
  });
}

/** Returns a problem for each member of a Swarm other than the manager's. */
async function unknownMembersOf(
  manager: Membership | undefined,
  members: readonly Membership[],
): Promise<string[]> {
  const known = manager
    ? (await dockerAt(addressOf(manager.machine), "node", "ls", "--format", "{{.ID}}")).split("\n")
    : [];
  const unmanaged = members.filter(({ NodeID }) => !known.includes(NodeID));
  const others = listed(members.filter((one) => !unmanaged.includes(one)).map(nameOf));
  return unmanaged.map(
    (one) =>
      `machine ${nameOf(one)} is in a ${others ? `different Swarm than ${others}` : "Swarm that none of these machines manages"}: run docker --host ${one.machine.engine} swarm leave, with --force if it is a manager there`,
  );
}

function nameOf({ machine }: Membership): string {
  return machine.name;
}
