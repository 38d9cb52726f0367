import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DOCKER_CLI_IMAGE } from "../../constructs";
import type { Environment, Machine } from "../../environments";
import { addressOf, includedMachinesOf } from "../../stacks/placement";
import { dockerAt, tryDockerAt } from "../engine/docker";
import { poll } from "../terminal/poll";
import { inspectPorts } from "./machine";
import type { Inspection } from "./preflight";

/** Swarm ports of managers and of all nodes (https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts). */
const MANAGER_PORT = 2377;
const GOSSIP_PORT = 7946;

const LABEL = ["--label", "groundwork.doctor"];

/** A machine in the Swarm, with its inspection. */
interface Member {
  readonly machine: Machine;
  readonly inspection: Inspection;
}

/**
 * Checks from each machine which other machines it reaches, which ports are in use there, its kernel's vm.max_map_count, and its disk. Runs
 * short-lived containers of an image that every machine needs anyway.
 */
export async function askNeighbours(
  environment: Environment,
  inspections: readonly Inspection[],
): Promise<Inspection[]> {
  const machines = includedMachinesOf(environment);
  const members = machines.flatMap((machine, i): Member[] => {
    const { swarm } = inspections[i].machine;
    return machine && swarm && swarm !== "none" ? [{ machine, inspection: inspections[i] }] : [];
  });
  const [answers, unreached] = await Promise.all([
    Promise.all(members.map((member) => ask(member, members))),
    meet(members, environment.networks.encrypted ?? false),
  ]);
  return inspections.map((inspection) => {
    const i = members.findIndex((member) => member.inspection === inspection);
    if (i < 0) {
      return inspection;
    }
    const others = members.filter((_, other) => other !== i).map(({ machine }) => machine.name);
    return {
      ...inspection,
      machine: {
        ...inspection.machine,
        ...answers[i].found,
        reach: {
          others,
          missed: [...answers[i].missed, ...unreached[i]],
          unknown: answers[i].unknown,
        },
      },
    };
  });
}

/** Returns the facts that a container on a machine reads, and the addresses of other machines that do not answer it. */
async function ask(
  { machine, inspection }: Member,
  members: readonly Member[],
): Promise<{
  readonly found: Partial<Inspection["machine"]>;
  readonly missed: readonly string[];
  readonly unknown?: string;
}> {
  const wanted = members
    .filter((other) => other.machine !== machine)
    .flatMap(({ machine: { name, address }, inspection: { machine: found } }) =>
      [...(found.swarm === "manager" ? [MANAGER_PORT] : []), GOSSIP_PORT].map((port) => ({
        name,
        address,
        port,
      })),
    );
  const { exitCode, output } = await tryDockerAt(
    addressOf(machine),
    ...["run", "--rm", ...LABEL, "--network", "host", "--entrypoint", "sh", DOCKER_CLI_IMAGE],
    ...["-c", ownFile("neighbours.sh"), "neighbours.sh"],
    ...wanted.flatMap(({ address, port }) => [address, String(port)]),
  );
  const lines = output.split("\n");
  if (exitCode !== 0) {
    return { found: {}, missed: [], unknown: lines.at(-1) };
  }
  const [, maxMapCount] = /^vm\.max_map_count (\d+)$/m.exec(output) ?? [];
  const [, diskMiB, freeDiskMiB] = /^disk (\d+) (\d+)$/m.exec(output) ?? [];
  const { engine } = inspection.machine;
  const listening = new Set(
    [...output.matchAll(/^listens [0-9A-F]+:([0-9A-F]{4})$/gm)].map(([, port]) =>
      Number.parseInt(port, 16),
    ),
  );
  const ports =
    inspection.requirements &&
    (await inspectPorts(
      inspection.requirements,
      addressOf(machine),
      (port) => !listening.has(port),
    ));
  return {
    found: {
      maxMapCount: Number(maxMapCount),
      ...(engine &&
        diskMiB && {
          engine: { ...engine, diskMiB: Number(diskMiB), freeDiskMiB: Number(freeDiskMiB) },
        }),
      ...(ports && { takenPorts: ports.taken, ownPorts: ports.own }),
    },
    missed: wanted
      .filter(({ address, port }) => !lines.includes(`answers ${address} ${port}`))
      .map(({ name, address, port }) => `${name} at ${address}, port ${port} (TCP)`),
  };
}

/** Returns for each member the others that it does not reach on an overlay network, which uses UDP. */
async function meet(members: readonly Member[], encrypted: boolean): Promise<string[][]> {
  const manager = members.find(({ inspection }) => inspection.machine.swarm === "manager");
  if (!manager || members.length < 2) {
    return members.map(() => []);
  }
  const network = `groundwork-doctor-${randomBytes(3).toString("hex")}`;
  const containerOn = ({ name }: Machine) => `${network}-${name}`;
  try {
    await dockerAt(
      addressOf(manager.machine),
      ...["network", "create", "--driver", "overlay", "--attachable", ...LABEL],
      ...(encrypted ? ["--opt", "encrypted"] : []),
      network,
    );
    await Promise.all(
      members.map(({ machine }) =>
        tryDockerAt(
          addressOf(machine),
          // Ends by itself after two minutes if this process dies.
          ...["run", "--detach", "--rm", ...LABEL, "--name", containerOn(machine)],
          ...["--network", network, "--entrypoint", "sleep", DOCKER_CLI_IMAGE, "120"],
        ),
      ),
    );
    return await Promise.all(
      members.map(async ({ machine }) => {
        const others = members.map((member) => member.machine).filter((other) => other !== machine);
        const { output } = await tryDockerAt(
          addressOf(machine),
          ...["run", "--rm", ...LABEL, "--network", network, "--entrypoint", "sh"],
          ...[DOCKER_CLI_IMAGE, "-c", ownFile("ping.sh"), "ping.sh"],
          ...others.map(containerOn),
        );
        const answering = output.split("\n");
        return others
          .filter((other) => !answering.includes(containerOn(other)))
          .map(({ name }) => `${name} on an overlay network`);
      }),
    );
  } finally {
    await Promise.all(
      members.map(({ machine }) =>
        tryDockerAt(addressOf(machine), "rm", "--force", containerOn(machine)),
      ),
    );
    await removeNetwork(manager.machine, network);
  }
}

/** Retries, since managers learn with a delay that the last container has left the network. */
async function removeNetwork(machine: Machine, network: string): Promise<void> {
  await poll(
    () => tryDockerAt(addressOf(machine), "network", "rm", network),
    ({ exitCode }) => exitCode === 0,
    { intervalMs: 500, patienceMs: 10_000 },
  );
}

function ownFile(name: string): string {
  return readFileSync(join(__dirname, name), "utf8");
}
