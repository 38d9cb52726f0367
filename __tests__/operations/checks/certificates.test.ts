import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lab, labSecured } from "../../../lab/environments";
import {
  certificateChecks,
  certificateFailures,
  listenersOf,
} from "../../../operations/checks/certificates";
import type { Outcome } from "../../../operations/engine/docker";
import type { Kafka } from "../../../operations/platform/kafka";
import { makeKeyPairs } from "../../../secrets/platform-secrets";
import { certificatesIn } from "../../../secrets/secret-files";

const given = process.env.GROUNDWORK_SECRETS;
const folder = mkdtempSync(join(tmpdir(), "groundwork-certificates-"));
const keyPair = (node: string) => join(folder, "key-pairs", `${node}.pem`);

beforeAll(async () => {
  process.env.GROUNDWORK_SECRETS = folder;
  await makeKeyPairs(folder, labSecured, []);
});
afterAll(() => {
  process.env.GROUNDWORK_SECRETS = given;
  if (given === undefined) {
    delete process.env.GROUNDWORK_SECRETS;
  }
  rmSync(folder, { recursive: true });
});

const LISTENERS = listenersOf(labSecured, []);
const fingerprintOf = (node: string) =>
  new X509Certificate(certificatesIn(readFileSync(keyPair(node), "utf8"))[0]).fingerprint256;

/** Checks the listeners of a platform, where some answer other than the deployed certificates. */
function failuresWith(
  others: Readonly<Record<string, readonly [fingerprint: string, other: string]>>,
  outcome?: Outcome,
): Promise<string[]> {
  const presented: Kafka["presented"] = async (_, addresses, caBundle) => {
    expect(caBundle).toBe(readFileSync(join(folder, "ca", "bundle.pem"), "utf8"));
    const lines = addresses.map((address) => {
      const [node] = address.split(".");
      return [address, ...(others[address] ?? [fingerprintOf(node), ""])].join("\t");
    });
    return outcome ?? { exitCode: 0, output: lines.join("\n") };
  };
  const platform = { environment: labSecured, kafka: { presented } as Kafka };
  return certificateFailures(platform, LISTENERS);
}

test("every listener of both clusters is asked, on the networks where clients reach it", () => {
  const addresses = LISTENERS.map(({ address }) => address);
  expect(addresses.filter((address) => /^(kafka|opensearch)-2/.test(address))).toEqual([
    "kafka-2.infra_net:19092",
    "kafka-2.infra_net:9093",
    "kafka-2.project_net:9092",
    "kafka-2.infra_net:29092",
    "opensearch-2.infra_net:9200",
    "opensearch-2.infra_net:9300",
    "opensearch-2.project_net:9200",
  ]);
  expect(addresses).toHaveLength(21);
});

test("the listener for certificates is asked if an application has one", () => {
  const withCertificate = { name: "shop", authentication: "certificate" } as const;
  const addresses = listenersOf(labSecured, [withCertificate]).map(({ address }) => address);
  expect(addresses.filter((address) => !LISTENERS.some((one) => one.address === address))).toEqual([
    ...["kafka-1", "kafka-2", "kafka-3"].map((node) => `${node}.project_net:9094`),
  ]);
});

test("listeners with the deployed certificates are as they should be", async () => {
  expect(await failuresWith({})).toEqual([]);
});

test("a node that still has its old certificate or CA, or none, is named with what to do", async () => {
  const remedy = (node: string) =>
    `${node} did not reload its certificates; see docker logs ${node}, then run docker restart ${node}`;
  expect(
    await failuresWith({
      "kafka-1.infra_net:9093": [fingerprintOf("kafka-2"), ""],
      "opensearch-3.infra_net:9300": [fingerprintOf("opensearch-3"), "CN=groundwork old"],
      "opensearch-1.infra_net:9200": ["", "java.net.ConnectException: Connection refused"],
    }),
  ).toEqual([
    `kafka-1.infra_net:9093 presents another certificate than that in ${keyPair("kafka-1")}: ${remedy("kafka-1")}`,
    "opensearch-1.infra_net:9200 presents no certificate: java.net.ConnectException: Connection refused",
    `opensearch-3.infra_net:9300 accepts certificates of CN=groundwork old, and not those of the CA bundle: ${remedy("opensearch-3")}`,
  ]);
});

test("a broker that cannot ask is a failure", async () => {
  expect(await failuresWith({}, { exitCode: 126, output: "container is not running" })).toEqual([
    "kafka-1 cannot ask the listeners: container is not running",
  ]);
});

test("a plaintext platform has no such check", () => {
  expect(certificateChecks({ environment: lab, kafka: {} as Kafka }, [])).toEqual([]);
});
