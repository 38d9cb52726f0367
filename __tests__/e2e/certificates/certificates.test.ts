import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { docker, expectDone, type Finished, NODES } from "../../support/lab";
import { deployedSecuredLab, expectReloaded, Guest } from "../../support/secured";

// Applications that authenticate with certificates: "audit", which becomes one with a password and back, and "stock".

const declaration = (authentication: "password" | "certificate") => `  {
    name: "audit",
    authentication: "${authentication}",
    topics: { "infra-events": "readwrite" },
    consumerGroups: ["audit"],
    indices: { "audit-*": "readwrite" },
  },
`;
const STOCK = `  { name: "stock", authentication: "certificate", topics: { "infra-events": "read" } },
`;

let deployed: Finished;
const project = deployedSecuredLab((copy) => {
  copy.edit(
    "catalog/applications.ts",
    '  {\n    name: "shop"',
    `${declaration("certificate")}${STOCK}  {\n    name: "shop"`,
  );
  deployed = copy.command("up");
  return deployed;
});
let client: Guest;
let insider: Guest;

/** Copies the current credentials of an application to its container. */
function give(name: string, to = name): void {
  client.put(`${to}.properties`, project.credentials(name, "properties"));
  client.put("ca.pem", project.credentials(name, "ca"));
}

const keyPairFile = () => join(project.secrets, "applications", "audit.pem");
const keyPair = () => readFileSync(keyPairFile(), "utf8");

beforeAll(() => {
  client = new Guest("client", "project_net");
  insider = new Guest("insider", "infra_net");
  give("audit");
  client.put("audit.pem", project.credentials("audit", "key-pair"));
});
afterAll(() => {
  client.remove();
  insider.remove();
});

const BOOTSTRAP = ["--bootstrap-server", "kafka:9094"];

/** Runs one of Kafka's tools in the application's container. */
const kafka = (tool: string, who: string, ...args: string[]) =>
  client.run(
    "timeout",
    "40",
    `/opt/kafka/bin/${tool}`,
    "--command-config",
    `${who}.properties`,
    ...args,
  );

/** Writes a record with the printed properties, and returns what the producer says. */
const produce = (who: string, topic: string, record: string, servers = BOOTSTRAP): string =>
  client.run(
    ...["sh", "-c", 'record=$0; echo "$record" | timeout 40 "$@" 2>&1', record],
    ...["/opt/kafka/bin/kafka-console-producer.sh", ...servers, "--topic", topic],
    ...["--command-config", `${who}.properties`, "--command-property", "max.block.ms=15000"],
  ).output;

const consume = (who: string, topic = "infra-events"): string =>
  kafka(
    ...(["kafka-console-consumer.sh", who, ...BOOTSTRAP, "--topic", topic] as const),
    ...["--from-beginning", "--timeout-ms", "15000"],
  ).output;

const topicsOf = (who: string) =>
  kafka("kafka-topics.sh", who, ...BOOTSTRAP, "--list").output.trim();

const openSearch = (path: string, ...options: string[]) =>
  client.status(`https://opensearch:9200${path}`, ...options);
const withKeyPair = ["--cert", "audit.pem"];

const startedAt = () =>
  docker("inspect", "--format", "{{.Name}} {{.State.StartedAt}}", ...Object.values(NODES).flat());

test("npm run up deploys them, asks the listener of each broker, and logs in with their certificates", () => {
  expect(deployed.output).not.toMatch(/^\S+ +NO /m);
  expect(deployed.output).toMatch(/24 listeners of both clusters have the certificates/);
  expect(deployed.output).toMatch(/^NFR-SEC +yes +applications have .*: 4, audit, stock, shop/m);
  expect(deployed.output).toMatch(/^Kafka, with a certificate +project_net +kafka:9094$/m);
  expect(existsSync(join(project.secrets, "applications", "audit.password"))).toBe(false);
});

describe("with exactly what npm run credentials prints, an application", () => {
  test("writes and reads the topic that it declares, and sees no other", () => {
    expect(produce("audit", "infra-events", "checked")).not.toMatch(/ERROR|Exception/);
    expect(consume("audit")).toMatch(/^checked$/m);
    expect(topicsOf("audit")).toBe("infra-events");
  });

  test("is refused a topic that it does not declare", () => {
    expect(produce("audit", "application-logs", "no")).toMatch(/TopicAuthorizationException/);
  });

  test("writes and reads the index that it declares, and is refused another one", () => {
    const json = ["--header", "content-type: application/json", "--data", '{"message":"checked"}'];
    expect(openSearch("/audit-1/_doc?refresh=true", ...withKeyPair, ...json)).toBe("201");
    expect(openSearch("/audit-1/_search", ...withKeyPair)).toBe("200");
    expect(openSearch("/ledger-1/_doc", ...withKeyPair, ...json)).toBe("403");
    expect(openSearch("/logs-shop-1/_search", ...withKeyPair)).toBe("403");
  });

  test("says hello", () => {
    const hello = project.command("hello", "audit");
    expectDone(hello);
    expect(hello.output).toContain("done: write a record to topic infra-events");
    expect(hello.output).toContain("done: find the document in audit-hello");
  });
});

test("no password logs in under the name of an application with a certificate", () => {
  expect(openSearch("/", "--user", "audit:audit")).toBe("401");
  const shop = project.credentials("shop", "properties");
  client.put("guess.properties", shop.replace('username="shop"', 'username="audit"'));
  const atApp = ["--bootstrap-server", "kafka:9092"];
  expect(produce("guess", "infra-events", "no", atApp)).toMatch(/SaslAuthenticationException/);
  const users = project.command("inventory");
  expect(users.output).toMatch(/^Kafka +user audit +declared +certificate, \d+ ACLs$/m);
  expect(users.output).toMatch(/^OpenSearch +user audit +declared +role and role mapping$/m);
});

test("the certificate of an application opens nothing of the platform", () => {
  insider.put("ca.pem", project.credentials("audit", "ca"));
  insider.put("audit.pem", keyPair());
  for (const path of ["/_plugins/_security/api/internalusers", "/_cluster/settings", "/_nodes"]) {
    expect([path, openSearch(path, ...withKeyPair)]).toEqual([path, "403"]);
  }
  const inside = [
    "security.protocol=SSL",
    "ssl.keystore.type=PEM",
    "ssl.truststore.type=PEM",
  ].concat(...["ssl.keystore.location=/tmp/audit.pem", "ssl.truststore.location=/tmp/ca.pem"]);
  insider.put("audit.properties", `${inside.join("\n")}\n`);
  const ask = (tool: string, ...args: string[]) =>
    insider.run(
      ...["timeout", "40", `/opt/kafka/bin/${tool}`, "--command-config", "audit.properties"],
      ...args,
    ).output;
  const quorum = ["describe", "--status"];
  expect(
    ask("kafka-metadata-quorum.sh", "--bootstrap-controller", "kafka-1.infra-net:9093", ...quorum),
  ).toMatch(/ClusterAuthorizationException/);
  const atInternal = ["--bootstrap-server", "kafka-1.infra-net:19092"];
  expect(ask("kafka-topics.sh", ...atInternal, "--list").trim()).toBe("infra-events");
  expect(ask("kafka-acls.sh", ...atInternal, "--list")).toMatch(/ClusterAuthorizationException/);
});

test("the certificates of services have no permissions on the listener of applications", () => {
  for (const principal of [
    "kafka-1",
    "kafka-init",
    "alloy",
    "checks",
    "prometheus",
    "loki",
    "grafana",
  ]) {
    client.put(`${principal}.pem`, project.keyPairOf(principal));
    client.put(
      `${principal}.properties`,
      project
        .credentials("audit", "properties")
        .replace(/^ssl\.keystore\.(certificate\.chain|key)=([^\n]*\\\n)*[^\n]*\n/gm, "")
        .concat(`ssl.keystore.location=/tmp/${principal}.pem\n`),
    );
    expect([principal, topicsOf(principal)]).toEqual([principal, ""]);
    expect(produce(principal, "infra-events", "no")).toMatch(/AuthorizationException/);
  }
});

test("a client without a certificate is refused by the listener of applications", () => {
  client.put(
    "nobody.properties",
    project
      .credentials("audit", "properties")
      .replace(/^ssl\.keystore\.[a-z.]+=([^\n]*\\\n)*[^\n]*\n/gm, ""),
  );
  expect(produce("nobody", "infra-events", "no")).toMatch(/SslAuthenticationException|Timeout/);
});

test("npm run rotate -- certificates gives it a new certificate, restarts no node, and the old one stays valid", () => {
  const before = startedAt();
  const { serialNumber } = new X509Certificate(keyPair());
  give("audit", "old");
  const rotated = project.command("rotate", "certificates");
  expectDone(rotated);
  expect(rotated.output).toContain("Give audit and stock their new certificates");
  expect(startedAt()).toBe(before);
  expect(new X509Certificate(keyPair()).serialNumber).not.toBe(serialNumber);
  expectReloaded(project, client, ["9092", "9094"]);
  give("audit");
  for (const who of ["audit", "old"]) {
    expect(produce(who, "infra-events", `rotated-${who}`)).not.toMatch(/ERROR|Exception/);
  }
  expect(consume("audit")).toMatch(/^rotated-audit$/m);
});

test("with a password in place of the certificate, and back, nothing is left over, and no broker is replaced", () => {
  const before = startedAt();
  const change = (from: "password" | "certificate", to: "password" | "certificate") => {
    project.edit("catalog/applications.ts", declaration(from), declaration(to));
    const up = project.command("up");
    expectDone(up);
    return up.output;
  };
  expect(change("certificate", "password")).toMatch(
    /with a password now: audit\. The key pair moved/,
  );
  const password = project.passwordOf("audit");
  expect(openSearch("/", "--user", `audit:${password}`)).toBe("200");
  expect(existsSync(keyPairFile())).toBe(false);

  expect(change("password", "certificate")).toContain(
    "with a certificate now: audit. The password",
  );
  expect(openSearch("/", "--user", `audit:${password}`)).toBe("401");
  expect(existsSync(join(project.secrets, "applications", "audit.password"))).toBe(false);
  give("audit");
  expect(topicsOf("audit")).toBe("infra-events");
  const drift = project.command("drift");
  expectDone(drift);
  expect(drift.output).toContain("has no drift");
  expect(project.command("inventory").output).toContain("declared, 0 left over");
  expect(startedAt()).toBe(before);
});
