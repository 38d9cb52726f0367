import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { KAFKA_IMAGE } from "../../../constructs";
import { labSecured } from "../../../lab/environments";
import { buildImages, EXPORTERS_IMAGE } from "../../../lab/prepare";
import { Platform } from "../../../operations/platform/platform";
import { detectTerraform, terraformEnv } from "../../../operations/terraform/binary";
import { makeCa, makeKeyPair } from "../../../secrets/certificates";
import {
  testKafkaAuthorization,
  testOpenSearchAuthorization,
  Visitors,
} from "../../support/authorization-matrix";
import { eventually } from "../../support/eventually";
import { docker, expectDone, type Finished, rerun, run, TRIAL } from "../../support/lab";
import { testLokiAuthorization } from "../../support/loki-authorization";
import { deployedSecuredLab } from "../../support/secured";

const CONSTRUCTS = join(__dirname, "..", "..", "..", "constructs");

let deployed: Finished;
const project = deployedSecuredLab((project) => {
  deployed = project.command("up");
  return deployed;
});
let visitors: Visitors;

afterAll(() => visitors.remove());

test("npm run up deploys a secured platform, and every requirement holds", () => {
  expect(deployed.output).not.toMatch(/^\S+ +NO /m);
  expect(deployed.output).toMatch(/^NFR-SEC +yes +applications have .*: shop, ledger$/m);
});

test("a second deploy changes nothing", () => {
  const again = project.command("up");
  expectDone(again);
  expect(again.output.match(/: no changes/g)).toHaveLength(5);
  const plan = project.command("plan");
  expectDone(plan);
  const drift = project.command("drift");
  expect(drift.output).toContain('environment "lab-secured" has no drift');
  expectDone(drift);
});

test("npm run inventory lists applications, Alloy and the platform's roles as declared, and nothing as left over", () => {
  const inventory = project.command("inventory");
  expectDone(inventory);
  for (const line of [
    /^Kafka +user shop +declared +password, \d+ ACLs$/m,
    /^Kafka +user alloy +declared +certificate, 3 ACLs$/m,
    /^OpenSearch +user shop +declared +user, role and role mapping$/m,
    /^OpenSearch +user alloy +declared +role and role mapping$/m,
    /^OpenSearch +role groundwork_checks +declared +of the platform itself$/m,
    /declared, 0 left over and \d+ unmanaged/,
  ]) {
    expect(inventory.output).toMatch(line);
  }
});

/** Logs in to a node as an application. Returns the HTTP status. */
const login = (from: "infra_net" | "project_net") =>
  visitors.guests[from].status("https://opensearch-1:9200", "--config", "shop");

describe("authorization", () => {
  beforeAll(async () => {
    visitors = await Visitors.enter(project, labSecured);
  });

  describe("clients of OpenSearch", () => {
    testOpenSearchAuthorization(() => visitors, {
      project_net: {
        url: "https://opensearch:9200",
        run: (...command) => visitors.guests.project_net.run(...command),
      },
      infra_net: {
        url: "https://opensearch-2:9200",
        run: (...command) => visitors.guests.infra_net.run(...command),
      },
      "the host": {
        url: "https://localhost:9200",
        run: (command, ...args) => run(command, args, {}, visitors.folder),
      },
    });

    test("are known by their whole subject in a cluster that an earlier version configured, too", async () => {
      const api = "https://opensearch-1:9200/_plugins/_security/api";
      const asAdmin = (method: string, path: string, ...more: readonly string[]) =>
        visitors.guests.infra_net.status(
          ...[`${api}/${path}`, "--cert", "os-admin.pem", "--request", method, ...more],
        );
      const asOther = () =>
        visitors.guests.infra_net.status(
          ...["https://opensearch-1:9200/_cluster/health", "--cert", "other-subject.pem"],
        );
      const skip_users = "/config/dynamic/authc/certificate/http_authenticator/config/skip_users";
      const patch = JSON.stringify([{ op: "remove", path: skip_users }]);
      expect(
        asAdmin(
          ...(["PATCH", "securityconfig", "--header", "Content-Type: application/json"] as const),
          ...["--data-binary", patch],
        ),
      ).toBe("200");
      expect(asAdmin("DELETE", "roles/groundwork_configuration")).toBe("200");
      await eventually(() => [asOther()].filter((status) => status !== "200"));
      expect(rerun("os-security").exitCode).toBe(0);
      await eventually(() => [asOther()].filter((status) => status !== "401"));
    });

    /** Sends a request as an application from its network. Returns the HTTP status and the response. */
    const as = (application: string, method: string, path: string, body: string) => {
      const { output } = visitors.guests.project_net.run(
        ...["curl", "--silent", "--cacert", "ca.pem", "--config", application],
        ...["--header", "Content-Type: application/json", "--request", method],
        ...["--data-binary", body, "--write-out", " %{http_code}"],
        `https://opensearch:9200${path}`,
      );
      return output.trim();
    };

    test("cannot change their own passwords", () => {
      const current_password = project.passwordOf("shop");
      const password = "another-one-that-is-Long-3nough";
      expect(
        as(
          ...(["shop", "PUT", "/_plugins/_security/api/account"] as const),
          JSON.stringify({ password, current_password }),
        ),
      ).toMatch(/Resource 'shop' is reserved.* 403$/);
      expect(as("shop", "POST", "/logs-shop-1/_doc", '{"message":"sold"}')).toMatch(/ 201$/);
    });

    test("that append create documents with and without an id, new fields and new indices", () => {
      for (const path of ["/ledger-1/_doc", "/ledger-1/_create/1", "/ledger-2/_doc"]) {
        expect([path, as("ledger", "POST", path, '{"booked":1}')]).toEqual([
          path,
          expect.stringMatching(/ 201$/),
        ]);
      }
      expect(as("ledger", "POST", "/ledger-1/_create/1", '{"booked":1}')).toMatch(/ 409$/);
      const bulk = '{"create":{}}\n{"another":"field"}\n';
      expect(as("ledger", "POST", "/ledger-1/_bulk", bulk)).toMatch(/"errors":false.* 200$/);
      expect(as("ledger", "POST", "/other-1/_doc", '{"booked":1}')).toMatch(/ 403$/);
      const elsewhere = as("ledger", "POST", "/logs-shop-1/_bulk", bulk);
      expect(elsewhere).toContain(
        "no permissions for [indices:data/write/bulk[s], indices:data/write/index]",
      );
    });

    test.each([
      ["update", '{"update":{"_id":"1","_source":true}}\n{"doc":{"booked":2}}\n'],
      ["delete", '{"delete":{"_id":"1"}}\n'],
    ])("that append cannot %s a document in bulk", (action, bulk) => {
      const answer = as("ledger", "POST", "/ledger-1/_bulk", bulk);
      expect(answer).toContain(`no permissions for [indices:data/write/${action}]`);
      expect(answer).not.toContain("booked");
    });

    test("read only the documents and fields that they declare", () => {
      const documents = [
        { team: "shop", message: "ours", secret: "1" },
        { team: "ledger", message: "theirs" },
      ];
      for (const document of documents) {
        const path = "/closed-docs/_doc?refresh=true";
        expect(as("ledger", "POST", path, JSON.stringify(document))).toMatch(/ 201$/);
      }
      const sources = (application: string): unknown[] =>
        JSON.parse(
          as(application, "GET", "/closed-docs/_search", "{}").replace(/ 200$/, ""),
        ).hits.hits.map(({ _source }: { _source: unknown }) => _source);
      expect(sources("ledger")).toEqual(expect.arrayContaining(documents));
      expect(sources("shop")).toEqual([{ team: "shop", message: "ours" }]);
      // Neither by a query on a field that they do not read, nor by an aggregation.
      const query =
        '{"query":{"term":{"secret":"1"}},"aggs":{"all":{"terms":{"field":"secret.keyword"}}}}';
      const found = as("shop", "GET", "/closed-docs/_search", query);
      expect(found).toMatch(/"hits":\[\].*"buckets":\[\].* 200$/);
      expect(as("ledger", "DELETE", "/closed-docs", "")).toMatch(/ 200$/);
    });

    test("get no answer without TLS", () => {
      expect(
        visitors.guests.project_net.run("curl", "--silent", "http://opensearch:9200/").exitCode,
      ).not.toBe(0);
    });

    test("join as a node only with the certificate of a node", async () => {
      const settings = docker("inspect", "opensearch-1", "--format", "{{json .Config.Env}}");
      const env = (JSON.parse(settings) as string[])
        .filter((entry) => !entry.startsWith("cluster.initial_cluster_manager_nodes="))
        .map((entry) => entry.replace(/^node\.name=.*/, "node.name=intruder"))
        .map((entry) => entry.replaceAll("opensearch-1.", "intruder."));
      docker(
        ...["create", ...TRIAL, "--name", "intruder", "--network", "infra_net"],
        ...env.flatMap((entry) => ["--env", entry]),
        labSecured.openSearch.image,
      );
      const config = "/usr/share/opensearch/config";
      const copied = join(visitors.folder, "config");
      docker("cp", `opensearch-1:${config}`, copied);
      // Each node generates its own, which only it can read.
      rmSync(join(copied, "opensearch.keystore"), { force: true });
      writeFileSync(join(copied, "certificates", "node.pem"), project.keyPairOf("os-init"));
      // docker cp gives files to root, and a node has only its group's certificates.
      for (const file of readdirSync(join(copied, "certificates"))) {
        chmodSync(join(copied, "certificates", file), 0o444);
      }
      docker("cp", `${copied}/.`, `intruder:${config}`);
      try {
        const services = ["alloy", "prometheus", "loki", "grafana"];
        for (const principal of ["os-init", "checks", "kafka-1", ...services]) {
          writeFileSync(join(copied, "certificates", "node.pem"), project.keyPairOf(principal));
          docker(
            ...["cp", join(copied, "certificates", "node.pem")],
            `intruder:${config}/certificates/node.pem`,
          );
          docker("restart", "--time", "0", "intruder");
          await eventually(() => {
            const { output } = run("docker", ["logs", "intruder"]);
            return output.includes(
              `Node presenting certificate with SSL Principal {CN=${principal}} could not securely connect to the cluster`,
            )
              ? []
              : [principal, output.slice(-1000)];
          });
        }
      } finally {
        docker("rm", "--force", "intruder");
      }
      const { output } = visitors.guests.infra_net.run(
        ...["curl", "--silent", "--cacert", "ca.pem", "--cert", "checks.pem"],
        "https://opensearch-1:9200/_cluster/health",
      );
      expect(JSON.parse(output).number_of_nodes).toBe(3);
    });
  });

  describe("limits of failed logins", () => {
    test("block an address that guesses, and neither the guessed application nor the administrator elsewhere", () => {
      const { infra_net } = visitors.guests;
      infra_net.status("https://opensearch-1:9200", "--user", "shop:guess");
      // The others have no password, whose check takes a slow machine too long. One connection is enough for all.
      infra_net.status("https://opensearch-1:9200/[1-40]");
      expect(login("infra_net")).toBe("401");
      expect(login("project_net")).toBe("200");
      expect(
        visitors.guests.project_net.status("https://opensearch-1:9200", "--cert", "os-admin.pem"),
      ).toBe("200");
    });
  });

  describe("the limit of failed logins of a username", () => {
    test("blocks that username on the node from every address, and no other username", () => {
      const { infra_net, project_net } = visitors.guests;
      const limit = "authfailurelisteners/groundwork-by-user";
      const listeners = parse(
        readFileSync(
          join(CONSTRUCTS, "opensearch", "configuration", "authfailurelisteners.yml"),
          "utf8",
        ),
      );
      const declared = listeners["groundwork-by-user"];
      const put = (body: object) =>
        infra_net.status(
          ...[
            `https://opensearch-2:9200/_plugins/_security/api/${limit}`,
            "--cert",
            "os-admin.pem",
          ],
          ...["--request", "PUT", "--header", "Content-Type: application/json"],
          ...["--data-binary", JSON.stringify(body)],
        );
      const asUser = (name: string) =>
        project_net.status("https://opensearch-3:9200", "--config", name);
      expect([asUser("shop"), asUser("ledger")]).toEqual(["200", "200"]);
      try {
        // A password that is wrong costs a node most of a second, so that the declared 300 take minutes.
        expect(put({ ...declared, allowed_tries: 4 })).toMatch(/^20[01]$/);
        for (let i = 0; i < 5; i++) {
          infra_net.status("https://opensearch-3:9200", "--user", "shop:guess");
        }
        expect([asUser("shop"), asUser("ledger")]).toEqual(["401", "200"]);
      } finally {
        expect(put(declared)).toMatch(/^20[01]$/);
      }
      expect(rerun("os-security").exitCode).toBe(0);
    });
  });

  describe("the audit trail", () => {
    const asAdmin = (method: string, path: string, body = "{}") => {
      const { exitCode, output } = visitors.guests.infra_net.run(
        ...["curl", "--silent", "--fail-with-body", "--cacert", "ca.pem", "--cert", "os-admin.pem"],
        ...["--request", method, "--header", "Content-Type: application/json"],
        ...(method === "GET" ? [] : ["--data-binary", body]),
        // opensearch-1 blocks this address.
        `https://opensearch-2:9200${path}`,
      );
      expect({ exitCode, output }).toEqual({ exitCode: 0, output });
    };
    /** What the administrator did, by the nodes' logs. */
    const events = (): string[] =>
      [1, 2, 3].flatMap((i) =>
        run("docker", ["logs", `opensearch-${i}`])
          .output.split("\n")
          .filter((line) => line.includes('"audit_request_effective_user":"CN=os-admin"'))
          .map((line) => JSON.parse(line.slice(line.indexOf("{"))))
          .map((event) =>
            [
              event.audit_category,
              event.audit_request_privilege ?? event.audit_compliance_operation,
              event.audit_trace_indices?.[0],
              event.audit_trace_doc_id ?? "",
            ].join(" "),
          ),
      );

    test("has what the administrator writes, and neither what it nor os-security reads", async () => {
      const before = events();
      asAdmin("GET", "/_search");
      asAdmin("GET", "/_plugins/_security/api/internalusers");
      expect(rerun("os-security").exitCode).toBe(0);
      asAdmin("PUT", "/audited/_create/1");
      asAdmin("POST", "/audited/_update/1", '{"doc":{"a":1}}');
      asAdmin("PUT", "/_plugins/_security/api/roles/audited", '{"cluster_permissions":[]}');
      asAdmin("DELETE", "/_plugins/_security/api/roles/audited");
      asAdmin("DELETE", "/audited/_doc/1");
      asAdmin("DELETE", "/audited");
      const role = "COMPLIANCE_INTERNAL_CONFIG_WRITE UPDATE .opendistro_security roles";
      await eventually(() => {
        const since = events();
        for (const event of before) {
          since.splice(since.indexOf(event), 1);
        }
        // What follows from a write, on another node.
        const told = new Set(since.filter((event) => !/admin\/(create|mapping)/.test(event)));
        const wanted = new Set([
          "INDEX_EVENT indices:admin/auto_create audited ",
          "COMPLIANCE_DOC_WRITE CREATE audited 1",
          "COMPLIANCE_DOC_WRITE UPDATE audited 1",
          "COMPLIANCE_DOC_WRITE DELETE audited 1",
          role,
          "INDEX_EVENT indices:admin/delete audited ",
        ]);
        return [
          ...[...told].filter((event) => !wanted.has(event)),
          ...[...wanted].filter((event) => !told.has(event)),
        ];
      });
    });
  });

  describe("clients of Kafka", () => {
    testKafkaAuthorization(() => visitors);

    test("read only with their own consumer groups", () => {
      const read = (who: string, group: string) =>
        visitors.guests.project_net.run(
          ...["/opt/kafka/bin/kafka-console-consumer.sh", "--bootstrap-server", "kafka:9092"],
          ...["--command-config", `${who}.properties`, "--topic", "infra-events"],
          ...["--group", group, "--from-beginning", "--max-messages", "1", "--timeout-ms", "15000"],
        ).output;
      visitors.put(
        "elsewhere.properties",
        project.credentials("ledger", "properties").replace("group.id=ledger\n", ""),
      );
      expect(read("ledger", "ledger")).toMatch(/^hello$/m);
      expect(read("elsewhere", "other")).toMatch(/GroupAuthorizationException/);
      expect(read("shop", "ledger")).toMatch(/AuthorizationException/);
    });

    test("on project_net reach a broker's address on infra_net only over a route of their own, and need a certificate there", () => {
      const addressOn = (network: string) =>
        docker(
          ...["inspect", "kafka-1", "--format"],
          `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
        );
      const { infra, project: projectNetwork } = labSecured.networks;
      const address = addressOn(infra.name);
      docker(
        ...["run", ...TRIAL, "--detach", "--init", "--name", "router", "--user", "0"],
        ...["--network", projectNetwork.name, "--cap-add", "NET_ADMIN"],
        ...["--entrypoint", "sleep", KAFKA_IMAGE, "infinity"],
      );
      const ask = () =>
        run("docker", [
          ...["exec", "router", "curl", "--silent", "--show-error", "--insecure"],
          ...["--max-time", "10", `https://${address}:19092`],
        ]);
      const route = ["ip", "route", "add", `${address}/32`, "via", addressOn(projectNetwork.name)];
      // Neither bridges nor hosts forward packets between both networks.
      expect(ask().exitCode).toBe(28);
      expect(run("docker", ["exec", "client", "busybox", ...route]).exitCode).not.toBe(0);
      docker("exec", "router", "busybox", ...route);
      expect(ask().output).toMatch(/certificate required|bad certificate/);
      docker("rm", "--force", "router");
    });
  });

  describe("clients of Loki", () => {
    testLokiAuthorization(() => visitors);
  });
});

test("both clusters log refusals in the words that Alloy counts", () => {
  const counted = readFileSync(join(CONSTRUCTS, "alloy", "refusals.alloy"), "utf8");
  const unquoted = (text: string): string => JSON.parse(`"${text}"`);
  const patterns = [...counted.matchAll(/\|~ \\"(.+?)\\""/g)].map(
    ([, pattern]) => new RegExp(unquoted(unquoted(pattern))),
  );
  expect(patterns).toHaveLength(2);
  for (const cluster of ["kafka", "opensearch"]) {
    const logs = [1, 2, 3].map((i) => run("docker", ["logs", `${cluster}-${i}`]).output).join("");
    expect([cluster, ...patterns.map((pattern) => pattern.test(logs))]).toEqual([
      ...[cluster, true, true],
    ]);
  }
});

describe("telemetry on infra_net", () => {
  const { infra } = labSecured.networks;
  const query = "prometheus:9090/api/v1/query?query=up";

  beforeAll(() => buildImages({ exporters: EXPORTERS_IMAGE }));

  const status = (url: string, ...options: string[]) =>
    visitors.guests.infra_net.status(url, "--max-time", "10", ...options);

  test("Prometheus accepts the certificates of Alloy, Grafana and the checks, and no others", async () => {
    const ca = readFileSync(join(project.secrets, "ca", "ca.pem"), "utf8");
    visitors.put(
      "unknown-principal.pem",
      await makeKeyPair(ca, "unknown-principal", ["unknown-principal"]),
    );
    visitors.put(
      "alloy-of-unknown-ca.pem",
      await makeKeyPair(await makeCa("other"), "alloy", ["alloy"]),
    );
    const certificates = [
      ...["alloy", "checks", "grafana", "loki", "prometheus", "kafka-1", "kafka-init"],
      ...["opensearch-1", "os-init", "os-admin"],
      ...["unknown-principal", "alloy-of-unknown-ca", "unknown-ca"],
    ];
    const answers = [
      ["nobody", status(`https://${query}`)],
      ["shop", status(`https://${query}`, "--user", `shop:${project.passwordOf("shop")}`)],
      ...certificates.map((name) => [name, status(`https://${query}`, "--cert", `${name}.pem`)]),
    ];
    expect(Object.fromEntries(answers)).toEqual({
      ...Object.fromEntries(answers.map(([who]) => [who, "000"])),
      ...{ alloy: "200", checks: "200", grafana: "200" },
    });
  });

  test("Prometheus refuses plaintext requests, and its name does not resolve for applications", () => {
    expect(status(`http://${query}`)).toBe("400");
    expect(visitors.guests.project_net.run("curl", "--silent", `https://${query}`).exitCode).toBe(
      6,
    );
  });

  test("Prometheus receives the metrics of both clusters over TLS", async () => {
    const brokers = [1, 2, 3].map((i) => `kafka-${i}.infra-net:19092`).join(",");
    docker(
      ...["run", ...TRIAL, "--detach", "--name", "exporters", "--network", infra.name],
      ...["--env", "OPENSEARCH_URL=https://opensearch:9200"],
      ...["--env", `KAFKA_BOOTSTRAP_SERVERS=${brokers}`],
      ...["--env", `KAFKA_VERSION=${KAFKA_IMAGE.split(":")[1]}`],
      ...["--env", `PROMETHEUS_URL=https://prometheus.${infra.name}:9090`],
      ...["--env", "TLS_DIR=/tls"],
      ...["--volume", `${join(visitors.folder, "ca.pem")}:/tls/ca-bundle.pem:ro`],
      ...["--volume", `${join(visitors.folder, "alloy.pem")}:/tls/key-pair.pem:ro`],
      EXPORTERS_IMAGE,
    );
    const SERIES: Record<string, number> = {
      "max(elasticsearch_cluster_health_number_of_nodes)": 3,
      "count(elasticsearch_jvm_memory_used_bytes{area='heap'})": 3,
      "max(elasticsearch_indices_docs_total{index='logs-shop-1'}) > bool 0": 1,
      "max(kafka_brokers)": 3,
      "max(kafka_topic_partitions{topic='infra-events'})": 3,
      "sum(kafka_topic_partition_current_offset{topic='infra-events'}) > bool 0": 1,
      "max(kafka_consumergroup_current_offset{consumergroup='ledger'}) > bool 0": 1,
    };
    const { prometheus } = new Platform(labSecured);
    const look = async () => {
      const answers = Object.keys(SERIES).map(async (expr) => {
        const { output } = await prometheus.query(expr);
        return [expr, Number(JSON.parse(output)[0]?.value[1])] as const;
      });
      return Object.fromEntries(await Promise.all(answers));
    };
    await eventually(async () => {
      const seen = await look();
      return JSON.stringify(seen) === JSON.stringify(SERIES) ? [] : [seen];
    });
    docker("rm", "--force", "exporters");
  });
});

test("a blocked address may log in again after a while", async () => {
  await eventually(() => [login("infra_net")].filter((status) => status !== "200"));
});

test("no secret is in the synthesized stacks, a plan, the state, container metadata or logs", () => {
  const secrets = readdirSync(project.secrets, { recursive: true, withFileTypes: true })
    .filter(({ name }) => /\.(pem|password|bcrypt)$/.test(name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .filter((content) => !content.startsWith("-----BEGIN CERTIFICATE"))
    // One unique line of each key.
    .map((content) => content.trim().split("\n")[content.includes("PRIVATE KEY") ? 2 : 0]);
  expect(secrets.length).toBeGreaterThan(10);
  const stacks = join(project.folder, "cdktf.out", "stacks");
  const plans = readdirSync(stacks).map((stack) => {
    const terraform = (...args: string[]) => {
      const finished = run(
        detectTerraform()?.command ?? "terraform",
        args,
        terraformEnv(process.env),
        join(stacks, stack),
      );
      expectDone(finished);
      return finished.output;
    };
    terraform("plan", "-input=false", "-out=secrets.plan");
    // Saved plans are compressed.
    const shown = terraform("show", "-json", "secrets.plan");
    expect(shown).toContain('"planned_values"');
    return shown;
  });
  expect(plans).toHaveLength(5);
  const names = docker("ps", "--all", "--format", "{{.Names}}").split("\n");
  const told = [
    ...plans,
    ...names.flatMap((name) => [docker("inspect", name), run("docker", ["logs", name]).output]),
    ...["cdktf.out", ".state/lab-secured"].flatMap((path) =>
      readdirSync(join(project.folder, path), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.parentPath.includes(".terraform/"))
        // The secrets are in the folder of the state.
        .filter((entry) => !entry.parentPath.startsWith(project.secrets))
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")),
    ),
  ].join("\n");
  expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
});
