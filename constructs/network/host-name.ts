import type { INetwork } from "./network";

/**
 * A container's host name on a network, as a certificate has it: with "-" for every "_" of the network's name. Java takes a name
 * with "_" for none that a certificate could be for (RFC 952), and fails the handshake.
 */
export function hostNameOn(network: INetwork, container: string): string {
  return `${container}.${network.name.replaceAll("_", "-")}`;
}
