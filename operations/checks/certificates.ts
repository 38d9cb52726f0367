import { join } from "node:path";
import { type Application, KAFKA_PORTS, OPENSEARCH_HTTP_PORT } from "../../constructs";
import { OPENSEARCH_TRANSPORT_PORT } from "../../constructs/opensearch/opensearch-cluster";
import { type Environment, isSecured, votersOf } from "../../environments";
import { readCaBundleText, readChain } from "../../secrets/pem";
import { secretsFolder } from "../../secrets/platform-secrets";
import { SECRET_FILES } from "../../secrets/secret-files";
import { hasCertificateListener } from "../../stacks/messaging-stack";
import { includedNodesOf } from "../../stacks/placement";
import type { Platform } from "../platform/platform";
import { counted } from "../terminal/terminal";
import { type AcceptanceRow, checkUntilMet } from "./row";

/** A listener with TLS. */
interface Listener {
  readonly node: string;
  /** `host:port`, as containers reach it. */
  readonly address: string;
}

/** Checks whether every node has reloaded its certificates. Returns no check without TLS. */
export function certificateChecks(
  platform: Pick<Platform, "environment" | "kafka">,
  applications: readonly Application[],
): Promise<AcceptanceRow>[] {
  const { environment } = platform;
  if (!isSecured(environment)) {
    return [];
  }
  const listeners = listenersOf(environment, applications);
  return [
    checkUntilMet(
      "NFR-SEC",
      `${counted(listeners.length, "listener")} of both clusters have the certificates of this deploy`,
      () => certificateFailures(platform, listeners),
    ),
  ];
}

/** Returns the listeners of the nodes that are not on excluded machines. @internal */
export function listenersOf(
  environment: Environment,
  applications: readonly Application[],
): Listener[] {
  const { networks, hostPorts, machines, openSearch } = environment;
  const { infra, project } = networks;
  const voters = votersOf(environment, "kafka");
  const kafka = includedNodesOf(environment, "kafka").flatMap((node) => [
    { node, address: `${node}.${infra.name}:${KAFKA_PORTS.INTERNAL}` },
    ...(voters.includes(node)
      ? [{ node, address: `${node}.${infra.name}:${KAFKA_PORTS.CONTROLLER}` }]
      : []),
    { node, address: `${node}.${project.name}:${KAFKA_PORTS.APP}` },
    ...(hasCertificateListener(environment, applications)
      ? [{ node, address: `${node}.${project.name}:${KAFKA_PORTS.CERTIFICATE}` }]
      : []),
    // With several machines, only the machine itself reaches its host ports.
    ...(hostPorts && !machines
      ? [{ node, address: `${node}.${infra.name}:${KAFKA_PORTS.HOST}` }]
      : []),
  ]);
  const search = includedNodesOf(environment, "opensearch").flatMap((node) => [
    { node, address: `${node}.${infra.name}:${OPENSEARCH_HTTP_PORT}` },
    { node, address: `${node}.${infra.name}:${OPENSEARCH_TRANSPORT_PORT}` },
    ...(openSearch.onProjectNetwork
      ? [{ node, address: `${node}.${project.name}:${OPENSEARCH_HTTP_PORT}` }]
      : []),
  ]);
  return [...kafka, ...search];
}

/** Describes the listeners that do not present their node's key pair, or accept other CAs than the bundle's. @internal */
export async function certificateFailures(
  { environment, kafka }: Pick<Platform, "environment" | "kafka">,
  listeners: readonly Listener[],
): Promise<string[]> {
  const folder = secretsFolder(environment);
  const [broker] = includedNodesOf(environment, "kafka");
  const { exitCode, output } = await kafka.presented(
    broker,
    listeners.map(({ address }) => address),
    readCaBundleText(join(folder, SECRET_FILES.caBundle)),
  );
  if (exitCode !== 0) {
    return [`${broker} cannot ask the listeners: ${output}`];
  }
  const found = new Map(
    output.split("\n").map((line) => {
      const [address, fingerprint, other] = line.split("\t");
      return [address, { fingerprint, other }];
    }),
  );
  return listeners.flatMap(({ node, address }) => {
    const keyPair = join(folder, SECRET_FILES.keyPair(node));
    const [{ certificate }] = readChain(keyPair);
    const { fingerprint = "", other = "" } = found.get(address) ?? {};
    const remedy = `${node} did not reload its certificates; see docker logs ${node}, then run docker restart ${node}`;
    if (fingerprint === "") {
      return [`${address} presents no certificate: ${other || "no answer"}`];
    }
    if (fingerprint !== certificate.fingerprint256) {
      return [`${address} presents another certificate than that in ${keyPair}: ${remedy}`];
    }
    return other === ""
      ? []
      : [`${address} accepts certificates of ${other}, and not those of the CA bundle: ${remedy}`];
  });
}
