import type { INetwork } from "./network";

/**
 * A container's host name on a network, as a certificate has it: with "-" for every "_" of the network's name. Java takes a name
 * with "_" for none that a certificate could be for (RFC 952), and fails the handshake.
 */
export function hostNameOn(network: INetwork, container: string): string {
  return `${container}.${network.name.replaceAll("_", "-")}`;
}

/** Every host name and address by which a container is reached under these names, on networks and in itself: those that its certificate is for. */
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
