import type { Machine } from "../../environments";
import { addressOf } from "../../stacks/placement";
import { askEngine } from "../engine/docker";

/** The part of `docker info` about an engine and its Swarm. */
export interface Membership {
  readonly machine: Machine;
  readonly engineId: string;
  readonly NodeID: string;
  readonly LocalNodeState: string;
  readonly ControlAvailable: boolean;
}

/** Returns an engine's Swarm membership, or the reason why the engine does not report it. */
export async function membershipOf(machine: Machine): Promise<Membership | string> {
  const { exitCode, output } = await askEngine(
    addressOf(machine),
    ...["info", "--format", "{{json .}}"],
  );
  const report = output.split("\n").find((line) => line.startsWith("{"));
  const { ID, Swarm } = JSON.parse(report ?? "{}");
  return exitCode === 0 && Swarm
    ? { machine, engineId: ID, ...Swarm }
    : `machine ${machine.name}: no Docker engine answers at ${machine.engine}: ${output.split("\n").at(-1)}`;
}
