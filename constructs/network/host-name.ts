import type { INetwork } from "./network";

/**
 * Returns a container's host name on a network, with "-" for every "_" of the network's name. Java does not accept a host name with "_"
 * (RFC 952) in a TLS handshake.
 */
export function hostNameOn(network: INetwork, container: string): string {
  return `${container}.${network.name.replaceAll("_", "-")}`;
}

/** Returns the host names and addresses for a container's certificate: its names on each network, and its loopback names. */
export function hostNamesOn(
  networks: readonly Pick<INetwork, "name">[],
  ...names: readonly string[]
): string[] {
  return [
    ...names.flatMap((name) => [
      name,
      ...networks.flatMap((network) => [`${name}.${network.name}`, hostNameOn(network, name)]),
    ]),
    "localhost",
    "127.0.0.1",
  ];
}
