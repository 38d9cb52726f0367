import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLS_FILES } from "../../../constructs/kafka/kafka-client";
import { eventually } from "../../support/eventually";
import { docker, driftOf, expectDone, kafka, rerun, run, topic } from "../../support/lab";
import { deployedSecuredLab, HeldProducer } from "../../support/secured";

const project = deployedSecuredLab((copy) => {
  copy.edit(
    "lab/environments.ts",
    'security: "tls",',
    'security: "tls",\n  kafka: { ...lab.kafka, reauthenticationMinutes: 1 },',
  );
  return copy.command("up");
});
const folder = mkdtempSync(join(tmpdir(), "groundwork-key-pairs-"));

afterAll(() => rmSync(folder, { recursive: true }));

/** Sends a request to OpenSearch as the administrator. */
function asAdmin(method: string, path: string, body?: unknown) {
  const { secrets } = project;
  const { exitCode, output } = run("curl", [
    ...["--silent", "--fail-with-body", "--cacert", join(secrets, "ca", "bundle.pem")],
    ...["--cert", join(secrets, "key-pairs", "os-admin.pem"), "--request", method],
    ...["--header", "Content-Type: application/json"],
    ...(body ? ["--data", JSON.stringify(body)] : []),
    `https://localhost:9200${path}`,
  ]);
  expect({ exitCode, output }).toEqual({ exitCode: 0, output });
  return JSON.parse(output);
}

/** Runs a sidecar again. Returns its exit code, its number of changes, and the drift that it reports. */
function ends(sidecar: string) {
  const { exitCode, log } = rerun(sidecar);
  const { reason, created, reconciled, revoked } = log.at(-1) ?? {};
  return {
    exitCode,
    reason,
    changes: created + reconciled + revoked,
    drift: driftOf(log),
  };
}

const WELL = { exitCode: 0, reason: "done", changes: 0, drift: [] };

test("AUT-001 and AUT-002: the index template is applied, and the topic has its guarantees", () => {
  asAdmin("PUT", "/logs-applied");
  const { settings, mappings } = asAdmin("GET", "/logs-applied")["logs-applied"];
  expect(settings.index).toMatchObject({ number_of_shards: "1", number_of_replicas: "1" });
  expect(mappings.properties).toMatchObject({ trace_id: { type: "keyword" } });
  expect(topic("infra-events")).toEqual({
    partitions: 3,
    replicationFactor: 3,
    configs: "min.insync.replicas=2",
  });
});

test("a sidecar that runs again changes nothing", () => {
  for (const sidecar of ["os-security", "os-init", "kafka-init"]) {
    expect([sidecar, ends(sidecar)]).toEqual([sidecar, WELL]);
  }
});

describe("a manual edit", () => {
  const PATH = "/_index_template/logs_template";
  const template = () => asAdmin("GET", PATH).index_templates[0].index_template;
  const alter = (isr: number) =>
    kafka("kafka-configs", [
      ...["--entity-type", "topics", "--entity-name", "infra-events"],
      ...["--alter", "--add-config", `min.insync.replicas=${isr}`],
    ]);

  test("is reported with exit code 73 and left as it is", () => {
    const edited = template();
    edited.template.settings.index.number_of_replicas = "2";
    asAdmin("PUT", PATH, edited);
    alter(1);
    expect(ends("os-init")).toMatchObject({
      exitCode: 73,
      drift: [["logs_template", "template.settings.index.number_of_replicas", '"1"', '"2"']],
    });
    expect(ends("kafka-init")).toMatchObject({
      exitCode: 73,
      drift: [["infra-events", "min.insync.replicas", "2", "1"]],
    });
    expect(template()).toEqual(edited);
    expect(topic("infra-events").configs).toBe("min.insync.replicas=1");
  });

  test("is no drift any more once it is reverted", () => {
    const repaired = template();
    repaired.template.settings.index.number_of_replicas = "1";
    asAdmin("PUT", PATH, repaired);
    alter(2);
    expect([ends("os-init"), ends("kafka-init")]).toEqual([WELL, WELL]);
  });
});

describe("a sidecar that lacks a permission", () => {
  const ROLE = "/_plugins/_security/api/roles/groundwork_index_templates";

  test("ends with 77 and names the missing permission of OpenSearch", () => {
    asAdmin("PUT", ROLE, { reserved: true, cluster_permissions: ["cluster:monitor/health"] });
    expect(ends("os-init")).toEqual({
      ...{ exitCode: 77, changes: 0, drift: [] },
      reason: expect.stringContaining("no permissions for [indices:admin/index_template/simulate]"),
    });
  });

  test("finds no drift after os-security restores its role", () => {
    expect(rerun("os-security").log.at(-1)).toMatchObject({ exit_code: 0, reconciled: 1 });
    expect(JSON.stringify(asAdmin("GET", ROLE))).toContain("indices:admin/index_template/put");
    expect(ends("os-init")).toEqual(WELL);
  });

  test("ends with 77 and names the missing ACL of Kafka, and finds no drift once it has the ACL", () => {
    const useKeyPairOf = (principal: string) => {
      const keyPair = join(folder, "key-pair.pem");
      writeFileSync(keyPair, project.keyPairOf(principal), { mode: 0o644 });
      docker("cp", keyPair, `kafka-init:${TLS_FILES.keyStore}`);
    };
    useKeyPairOf("alloy");
    expect(ends("kafka-init")).toEqual({
      ...{ exitCode: 77, changes: 0, drift: [] },
      reason: expect.stringContaining(
        "not authorized: the sidecar needs DescribeConfigs on topics infra-events, application-logs",
      ),
    });
    useKeyPairOf("kafka-init");
    expect(ends("kafka-init")).toEqual(WELL);
  });
});

test("os-security restores a password that was changed in OpenSearch, and reports it as drift", () => {
  const status = () =>
    run("curl", [
      ...["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"],
      ...["--cacert", join(project.secrets, "ca", "bundle.pem")],
      ...["--user", `shop:${project.passwordOf("shop")}`, "https://localhost:9200"],
    ]).output;
  expect(status()).toBe("200");
  asAdmin("PATCH", "/_plugins/_security/api/internalusers/shop", [
    { op: "add", path: "/password", value: "another-one-that-is-Long-3nough" },
  ]);
  expect(status()).toBe("401");
  expect(ends("os-security")).toEqual({
    ...{ exitCode: 0, reason: "done", changes: 1 },
    drift: [["shop", "user.password", "as declared", "different"]],
  });
  expect(status()).toBe("200");
  expect(ends("os-security")).toEqual(WELL);
});

test("a changed audit trail is drift until it is changed back", () => {
  const enableRest = (value: boolean) =>
    asAdmin("PATCH", "/_plugins/_security/api/audit", [
      { op: "replace", path: "/config/audit/enable_rest", value },
    ]);
  enableRest(false);
  expect(ends("os-security")).toEqual({
    exitCode: 73,
    reason: "drift from the declaration: security/audit.config",
    changes: 0,
    drift: [["security/audit.config", "audit.enable_rest", "true", "false"]],
  });
  enableRest(true);
  expect(ends("os-security")).toEqual(WELL);
});

test("npm run up reports that someone else took over an application's user, fails NFR-SEC and leaves the user alone", () => {
  const USER = "/_plugins/_security/api/internalusers/shop";
  asAdmin("PUT", USER, { password: "one-that-is-Long-3nough", description: "of others" });
  const taken = project.command("up");
  expect(taken).toMatchObject({ exitCode: 1 });
  expect(taken.output).toMatch(/^NFR-SEC +NO +applications have .*: shop, ledger$/m);
  expect(taken.output).toContain(
    "application shop: user is internalusers/shop, not created by Groundwork, declared created by Groundwork",
  );
  expect(asAdmin("GET", USER).shop.description).toBe("of others");

  asAdmin("DELETE", USER);
  const again = project.command("up");
  expectDone(again);
  expect(again.output).toMatch(/^NFR-SEC +yes /m);
});

test("the next deploy revokes the permissions of an application that is no longer declared, and nothing else", () => {
  const file = join(project.folder, "catalog", "applications.ts");
  const [ledger] = / {2}\{\n {4}name: "ledger"[\s\S]*?\n {2}\},\n/.exec(
    readFileSync(file, "utf8"),
  ) as unknown as [string];
  project.edit("catalog/applications.ts", ledger, "");
  const revoked = project.command("up");
  expectDone(revoked);
  expect(revoked.output).toMatch(/^NFR-SEC +yes +applications have .*: shop$/m);
  expect([ends("kafka-init"), ends("os-security")]).toEqual([WELL, WELL]);
});

test("an open connection to Kafka does not outlive the removal of its application for longer than the environment says", async () => {
  const producer = await HeldProducer.connect(project.credentials("shop", "properties"));
  try {
    const file = join(project.folder, "catalog", "applications.ts");
    const [shop] = / {2}\{\n {4}name: "shop"[\s\S]*?\n {2}\},\n/.exec(
      readFileSync(file, "utf8"),
    ) as unknown as [string];
    project.edit("catalog/applications.ts", shop, "");
    expectDone(project.command("up"));
    // It has no permissions at once, and no user at its next authentication.
    await producer.isRefused();
    await eventually(() =>
      producer.log().includes("failed authentication due to") ? [] : [producer.log()],
    );
  } finally {
    producer.remove();
  }
});

test("npm run doctor says when the certificates expire and whether the clocks agree", () => {
  const doctor = project.command("doctor");
  expectDone(doctor);
  for (const row of [
    /^certificates +yes +\d+, the first expires in (89|90) days \(\S+\)$/m,
    /^CA +yes +1, the first expires in \d{4} days \(.+\)$/m,
    /^clock +yes +same as this machine's$/m,
  ]) {
    expect(doctor.output).toMatch(row);
  }
});
