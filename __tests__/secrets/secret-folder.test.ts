import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Testing } from "cdktf";
import {
  DataVolume,
  KafkaCluster,
  KafkaInit,
  Loki,
  Network,
  OpenSearchCluster,
  OpenSearchInit,
  OpenSearchSecurity,
} from "../../constructs";
import { labSecured } from "../../lab/environments";
import { principalsOf } from "../../secrets/platform-secrets";
import { SecretFolder } from "../../secrets/secret-folder";
import type { Json } from "../support/platform";
import { testStack } from "../support/stack";

const parent = mkdtempSync(join(tmpdir(), "secret-folder-"));
const security = new SecretFolder(join(parent, "secrets"));
const stack = testStack();
const { infra, project } = labSecured.networks;
const networks = {
  infraNetwork: new Network(stack, "infra", { name: infra.name }),
  projectNetwork: new Network(stack, "project", { name: project.name }),
};
const applications = [{ name: "shop", topics: { "*": "read" }, everything: true } as const];

const kafka = new KafkaCluster(stack, "Kafka", { ...networks, security });
new KafkaInit(stack, "KafkaInit", { cluster: kafka, topics: [], applications });
const openSearch = new OpenSearchCluster(stack, "OpenSearch", { ...networks, security });
new OpenSearchInit(stack, "OpenSearchInit", { cluster: openSearch, indexTemplates: [] });
new OpenSearchSecurity(stack, "OpenSearchSecurity", { cluster: openSearch, applications });

const certificateOf = (principal: string) =>
  new X509Certificate(readFileSync(security.keyPairOf(principal)));
const hostsOf = ({ subjectAltName = "" }: X509Certificate) =>
  subjectAltName
    .split(", ")
    .map((name) => name.replace(/^(DNS|IP Address):/, ""))
    .sort();

beforeAll(() => security.ensure());
afterAll(() => rmSync(parent, { recursive: true }));

test("has a certificate for each principal of the constructs, with all its host names", () => {
  const nodes = [...principalsOf(labSecured)].filter(([name]) =>
    /^(kafka|opensearch)-\d$/.test(name),
  );
  expect(nodes).toHaveLength(6);
  for (const [name, hosts] of nodes) {
    expect([name, hostsOf(certificateOf(name))]).toEqual([name, [...hosts].sort()]);
  }
  const names = readdirSync(join(security.path, "key-pairs")).map((file) => file.slice(0, -4));
  const clients = ["checks", "kafka-init", "os-admin", "os-init"];
  expect(names.sort()).toEqual([...nodes.map(([name]) => name), ...clients].sort());
});

test("has all files that the stack uploads, readable by their owner only", () => {
  const { resource } = JSON.parse(Testing.synth(stack));
  const sources = Object.values<Json>(resource.docker_container)
    .flatMap(({ upload }) => upload.map(({ source }: Json) => source))
    .filter((source) => source?.startsWith(security.path));
  expect(new Set(sources).size).toBe(12);
  for (const source of sources) {
    expect([source, statSync(source).mode & 0o077]).toEqual([source, 0]);
  }
});

test("has the certificate of Loki, for the host names that its proxy has", async () => {
  const own = new SecretFolder(join(parent, "loki"));
  const scope = testStack();
  const network = new Network(scope, "infra", { name: infra.name });
  const dataVolume = new DataVolume(scope, "volume", { name: "loki" });
  new Loki(scope, "Loki", { network, dataVolume, security: own });
  await own.ensure();
  expect(readdirSync(join(own.path, "key-pairs"))).toEqual(["loki.pem"]);
  const certificate = new X509Certificate(readFileSync(own.keyPairOf("loki")));
  expect(hostsOf(certificate)).toEqual(
    expect.arrayContaining(["loki", `loki.${infra.name}`, "localhost"]),
  );
});

test("has the key pair of an application that is asked for, and no password for it", async () => {
  const own = new SecretFolder(join(parent, "application"));
  const file = own.applicationKeyPairOf("shop");
  await own.ensure();
  expect(new X509Certificate(readFileSync(file)).subject).toBe("CN=shop");
  expect(readdirSync(join(own.path, "applications"))).toEqual(["shop.pem"]);
});

test("keeps valid certificates and renews those that lack a host name", async () => {
  const serials = () => ["kafka-1", "kafka-2"].map((name) => certificateOf(name).serialNumber);
  const [first, second] = serials();
  await security.ensure();
  expect(serials()).toEqual([first, second]);
  security.keyPairOf("kafka-2", ["kafka.example.org"]);
  await security.ensure();
  expect(serials()).toEqual([first, expect.not.stringMatching(second)]);
  expect(hostsOf(certificateOf("kafka-2"))).toContain("kafka.example.org");
});
