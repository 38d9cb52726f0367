import type { Environment, Machine } from "../../environments";
import { addressOf } from "../../stacks/placement";
import { dockerAt } from "../engine/docker";
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
 * Joins the machines of an environment into one Docker Swarm, with the first three as managers. Leaves existing members alone. Throws
 * before any change if an engine does not answer or is in another Swarm.
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
  for (const { machine, LocalNodeState } of memberships) {
    if (LocalNodeState !== "inactive") {
      console.log(`${machine.name}: already in the Swarm`);
    } else if (machine !== first) {
      const role = machines.indexOf(machine) < MANAGERS ? "manager" : "worker";
      const token = await dockerAt(addressOf(first), "swarm", "join-token", "--quiet", role);
      await dockerAt(
        addressOf(machine),
        ...["swarm", "join", "--token", token, "--advertise-addr", machine.address],
        `${first.address.includes(":") ? `[${first.address}]` : first.address}:${PORT}`,
      );
      console.log(`${machine.name}: joined as ${role}`);
    }
  }
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
