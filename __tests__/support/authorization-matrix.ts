import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCa, makeKeyPair } from "../../secrets/certificates";
import type { Finished } from "./lab";
import type { Guest, SecuredProject } from "./secured";

// Who may do what in a secured platform: every principal against every operation.

const CONSTRUCTS = join(__dirname, "..", "..", "constructs");

/** An application's container and one that has got onto the network of the services, and the files by which those who try are known. */
export class Visitors {
  constructor(
    readonly project: SecuredProject,
    readonly guests: Readonly<Record<"project_net" | "infra_net", Guest>>,
    /** Where the files are on this machine; in both guests they are in /tmp. */
    readonly folder: string,
  ) {}

  put(file: string, content: string): void {
    writeFileSync(join(this.folder, file), content);
    for (const guest of Object.values(this.guests)) {
      guest.put(file, content);
    }
  }

  /** Gives them certificates of the platform, and one that only says so. */
  async putKeyPairs(): Promise<void> {
    this.put("ca.pem", this.project.credentials("shop", "ca"));
    for (const name of [
      ...["kafka-init", "os-init", "checks", "alloy", "grafana", "prometheus", "os-admin"],
      ...["kafka-1", "opensearch-1"],
    ]) {
      this.put(`${name}.pem`, this.project.keyPairOf(name));
    }
    this.put("stranger.pem", await makeKeyPair(await makeCa("another"), "os-admin", ["os-admin"]));
  }

  remove(): void {
    for (const guest of Object.values(this.guests)) {
      guest.remove();
    }
  }
}

/** Runs a command where the visitors' files are. */
type RunThere = (...command: string[]) => Finished;

/** To OpenSearch, from each place by its address there. */
export function testOpenSearchAuthorization(
  visitors: () => Visitors,
  places: Readonly<Record<string, { readonly url: string; readonly run: RunThere }>>,
): void {
  const WHO = {
    nobody: "",
    "wrong-password": 'user = "shop:wrong"',
    stranger: "cert = stranger.pem",
    shop: () => `user = "shop:${visitors().project.passwordOf("shop")}"`,
    ledger: () => `user = "ledger:${visitors().project.passwordOf("ledger")}"`,
    "kafka-init": "cert = kafka-init.pem",
    "os-init": "cert = os-init.pem",
    checks: "cert = checks.pem",
    alloy: "cert = alloy.pem",
    "opensearch-1": "cert = opensearch-1.pem",
    "os-admin": "cert = os-admin.pem",
  };
  const NAMES = Object.keys(WHO);
  const SCRIPT = readFileSync(join(__dirname, "open-search-rights.sh"), "utf8");

  beforeAll(() => {
    for (const [name, settings] of Object.entries(WHO)) {
      visitors().put(name, `${typeof settings === "string" ? settings : settings()}\n`);
    }
  });

  // In this order: who writes makes what the others look for, and what is deleted at the end is nobody's.
  describe.each(Object.keys(places))(`from %s, in the order ${NAMES.join(" ")},`, (place) => {
    test.each<[string, string, string, string, string]>([
      [
        "write to an index of shop's pattern",
        "POST",
        "/logs-shop-1/_doc?refresh=true",
        '{"message":"sold"}',
        "401 401 000 201 403 403 403 403 403 403 201",
      ],
      [
        "write in bulk",
        "POST",
        "/logs-shop-1/_bulk",
        '{"create":{}}\n{"message":"sold"}\n',
        "401 401 000 200 403 403 403 403 403 403 200",
      ],
      ["read it", "GET", "/logs-shop-1/_search", "", "401 401 000 403 200 403 403 403 403 403 200"],
      [
        "write to another index",
        "POST",
        "/other/_doc",
        '{"message":"sold"}',
        "401 401 000 403 403 403 403 403 403 403 201",
      ],
      ["read every index", "GET", "/_search", "", "401 401 000 403 403 403 403 403 403 403 200"],
      [
        "list the indices",
        "GET",
        "/_cat/indices",
        "",
        "401 401 000 403 403 403 403 403 403 403 200",
      ],
      [
        "change an index's settings",
        "PUT",
        "/logs-shop-1/_settings",
        '{"index":{"refresh_interval":"1s"}}',
        "401 401 000 403 403 403 403 403 403 403 200",
      ],
      [
        "add a field to an index's mapping, which who writes does with every new one",
        "PUT",
        "/logs-shop-1/_mapping",
        '{"properties":{"shelf":{"type":"keyword"}}}',
        "401 401 000 200 403 403 403 403 403 403 200",
      ],
      [
        "read an index template",
        "GET",
        "/_index_template/logs_template",
        "",
        "401 401 000 403 403 403 200 200 403 403 200",
      ],
      [
        "write an index template",
        "PUT",
        "/_index_template/mine",
        '{"index_patterns":["mine"]}',
        "401 401 000 403 403 403 200 403 403 403 200",
      ],
      [
        "delete an index template",
        "DELETE",
        "/_index_template/mine",
        "",
        "401 401 000 403 403 403 403 403 403 403 200",
      ],
      [
        "see the cluster's health",
        "GET",
        "/_cluster/health",
        "",
        "401 401 000 403 403 403 200 200 200 200 200",
      ],
      [
        "read the cluster's state",
        "GET",
        "/_cluster/state/metadata",
        "",
        "401 401 000 403 403 403 403 200 403 403 200",
      ],
      [
        "see the nodes' statistics",
        "GET",
        "/_nodes/stats",
        "",
        "401 401 000 403 403 403 403 403 200 403 200",
      ],
      [
        "see the indices' statistics",
        "GET",
        "/_all/_stats",
        "",
        "401 401 000 403 403 403 403 403 200 403 200",
      ],
      [
        "change the cluster's settings",
        "PUT",
        "/_cluster/settings",
        '{"persistent":{"action.auto_create_index":null}}',
        "401 401 000 403 403 403 403 403 403 403 200",
      ],
      [
        "list the users",
        "GET",
        "/_plugins/_security/api/internalusers",
        "",
        "401 401 000 403 403 403 403 403 403 403 200",
      ],
      [
        "make a user",
        "PUT",
        "/_plugins/_security/api/internalusers/mine",
        '{"password":"one-that-is-Long-3nough"}',
        "401 401 000 403 403 403 403 403 403 403 201",
      ],
      [
        "delete a user",
        "DELETE",
        "/_plugins/_security/api/internalusers/mine",
        "",
        "401 401 000 403 403 403 403 403 403 403 200",
      ],
      [
        "read the users' own index",
        "GET",
        "/.opendistro_security/_search",
        "",
        "401 401 000 403 403 403 403 403 403 403 200",
      ],
      ["delete an index", "DELETE", "/other", "", "401 401 000 403 403 403 403 403 403 403 200"],
    ])("%s only when they may", (_, method, path, body, statuses) => {
      const { url, run } = places[place];
      const { output } = run("sh", "-c", SCRIPT, "sh", method, `${url}${path}`, body, ...NAMES);
      expect(output.trim()).toBe(statuses);
    });
  });
}

/** To Kafka, from both guests. */
export function testKafkaAuthorization(visitors: () => Visitors): void {
  const FROM_PROJECT = ["nobody", "nobody-over-tls", "wrong-password", "shop", "ledger"];
  const FROM_INFRA = ["nobody-inside", "stranger", "os-init", "alloy", "kafka-init"];
  /** By operation, who may what. */
  const outcomes = new Map<string, Map<string, string>>();

  beforeAll(() => {
    const { project, guests, folder } = visitors();
    const shop = project.credentials("shop", "properties");
    const inside = [
      "bootstrap.servers=kafka-1.infra-net:19092",
      "controllers=kafka-1.infra-net:9093",
      "security.protocol=SSL",
      "ssl.truststore.type=PEM",
      "ssl.truststore.location=/tmp/ca.pem",
      "",
    ].join("\n");
    const as = (name: string) =>
      `${inside}ssl.keystore.type=PEM\nssl.keystore.location=/tmp/${name}.pem\n`;
    const inVain = "patience.seconds=12\n";
    const clients = {
      nobody: `bootstrap.servers=kafka:9092\nsecurity.protocol=PLAINTEXT\n${inVain}`,
      "nobody-over-tls": `${shop.replace(/^(sasl|security)\..*\n/gm, "")}security.protocol=SSL\n${inVain}`,
      "wrong-password": shop.replace(/password="[^"]*"/, 'password="wrong"'),
      shop,
      ledger: project.credentials("ledger", "properties"),
      "nobody-inside": inside,
      stranger: as("stranger"),
      "os-init": as("os-init"),
      alloy: as("alloy"),
      "kafka-init": as("kafka-init"),
    };
    const jar = join(folder, "rights.jar");
    execFileSync(process.execPath, [
      join(CONSTRUCTS, "kafka", "kafka-init", "build.mjs"),
      ...["--sources", join(__dirname, "kafka-rights"), "--jar", jar],
    ]);
    for (const [name, properties] of Object.entries(clients)) {
      visitors().put(`${name}.properties`, properties);
    }
    for (const [guest, names] of [
      [guests.project_net, FROM_PROJECT],
      [guests.infra_net, FROM_INFRA],
    ] as const) {
      guest.copy(jar, "rights.jar");
      const { output } = guest.run(
        ...["java", "-cp", "/opt/kafka/libs/*:rights.jar", "Rights", "infra-events", "ledger"],
        ...names.map((name) => `${name}.properties`),
      );
      for (const [, who, what, outcome] of output.matchAll(/^(\S+)\.properties\t(.*)\t(.*)$/gm)) {
        outcomes.set(what, (outcomes.get(what) ?? new Map()).set(who, outcome));
      }
    }
  });

  // In the order of the names above.
  const [unlet, hidden] = ["no answer|no answer|unknown", "unknown|unknown"];
  test.each([
    ["sees topics", `${unlet}|yes|yes|${hidden}|nothing|yes|yes`],
    ["describes the topic", `${unlet}|yes|yes|${hidden}|refused|yes|yes`],
    ["writes", `${unlet}|yes|refused|${hidden}|refused|refused|yes`],
    ["reads", `${unlet}|refused|yes|${hidden}|refused|refused|yes`],
    ["sees how far its group is", `${unlet}|refused|yes|${hidden}|refused|yes|yes`],
    ["moves its group", `${unlet}|refused|yes|${hidden}|refused|refused|yes`],
    ["makes a topic", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    ["deletes a topic", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    ["adds partitions", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    ["reads configs", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    ["changes configs", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    ["reads ACLs", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    ["makes ACLs", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    ["deletes ACLs", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    ["makes users", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    ["sees the quorum", `${unlet}|refused|refused|${hidden}|refused|refused|yes`],
    [
      "asks a controller",
      `not there|not there|not there|not there|not there|${hidden}|refused|refused|yes`,
    ],
  ])("each %s only when it may", (operation, expected) => {
    const told = outcomes.get(operation);
    expect([...FROM_PROJECT, ...FROM_INFRA].map((who) => told?.get(who)).join("|")).toBe(expected);
  });
}
