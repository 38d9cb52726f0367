import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../environments";
import { makeCa, makeKeyPair } from "../../secrets/certificates";
import type { Finished } from "./lab";
import { ROOT } from "./root";
import { Guest, type SecuredProject } from "./secured";

// Tests the authorization matrix of a secured platform: tries every operation as every principal.

const CONSTRUCTS = join(ROOT, "constructs");

/** An application's container, an intruder's container on the network of the services, and the files that authenticate principals in both. */
export class Visitors {
  private constructor(
    readonly project: SecuredProject,
    readonly guests: Readonly<Record<"project_net" | "infra_net", Guest>>,
    /** The folder of the files on this machine. In both containers it is /tmp. */
    readonly folder: string,
  ) {}

  /** Starts both containers with certificates of the platform, on the lab's engine unless given the address of another. */
  static async enter(
    project: SecuredProject,
    { networks }: Environment,
    engine?: string,
  ): Promise<Visitors> {
    const guests = {
      project_net: new Guest("client", networks.project.name, engine),
      infra_net: new Guest("insider", networks.infra.name, engine),
    };
    const folder = mkdtempSync(join(tmpdir(), "groundwork-guests-"));
    const visitors = new Visitors(project, guests, folder);
    await visitors.putKeyPairs();
    return visitors;
  }

  put(file: string, content: string): void {
    writeFileSync(join(this.folder, file), content);
    for (const guest of Object.values(this.guests)) {
      guest.put(file, content);
    }
  }

  /** Copies the platform's key pairs to both, one with the administrator's name from a CA that the platform does not trust, and one with a service's common name in a longer subject. */
  private async putKeyPairs(): Promise<void> {
    this.put("ca.pem", this.project.credentials("shop", "ca"));
    for (const name of [
      ...["kafka-init", "os-init", "checks", "alloy", "grafana", "loki", "prometheus", "os-admin"],
      ...["kafka-1", "opensearch-1"],
    ]) {
      this.put(`${name}.pem`, this.project.keyPairOf(name));
    }
    const ca = readFileSync(join(this.project.secrets, "ca", "ca.pem"), "utf8");
    this.put("other-subject.pem", await makeKeyPair(ca, "os-init,O=other", ["os-init"]));
    this.put(
      "unknown-ca.pem",
      await makeKeyPair(await makeCa("another"), "os-admin", ["os-admin"]),
    );
  }

  remove(): void {
    for (const guest of Object.values(this.guests)) {
      guest.remove();
    }
    rmSync(this.folder, { recursive: true });
  }
}

/** The expected answer of an operation for each principal. `others` applies to all that are not named. */
export type Answers<Principal extends string, Answer> = Partial<Record<Principal, Answer>> & {
  readonly others: Answer;
};

/** Returns the expected answer for every principal: its own, else that of unauthenticated principals, else that of the others. */
export function answersOf<Principal extends string, Answer>(
  principals: readonly Principal[],
  unauthenticated: Partial<Record<Principal, Answer>>,
  answers: Answers<Principal, Answer>,
): Map<Principal, Answer> {
  const named: Partial<Record<Principal, Answer>> = { ...unauthenticated, ...answers };
  return new Map(principals.map((principal) => [principal, named[principal] ?? answers.others]));
}

/** Fails with a line for each principal that gets an unexpected answer. */
export function expectAnswers<Answer>(
  operation: string,
  actual: ReadonlyMap<string, Answer> | undefined,
  expected: ReadonlyMap<string, Answer>,
): void {
  const wrong = [...expected]
    .filter(([principal, answer]) => actual?.get(principal) !== answer)
    .map(
      ([principal, answer]) =>
        `${operation} as ${principal}: expected ${answer}, actual ${actual?.get(principal)}`,
    );
  expect(wrong).toEqual([]);
}

const OPENSEARCH_PRINCIPALS = [
  ...([
    "nobody",
    "wrong-password",
    "unknown-ca",
    "other-subject",
    "shop",
    "ledger",
    "kafka-init",
    "os-init",
  ] as const),
  ...(["checks", "alloy", "grafana", "loki", "prometheus", "kafka-1"] as const),
  ...(["opensearch-1", "os-admin"] as const),
];
type OpenSearchPrincipal = (typeof OPENSEARCH_PRINCIPALS)[number];

/** An HTTP status. No answer means that the server refused the certificate. */
export type Status = number | "no answer";

const OPENSEARCH_UNAUTHENTICATED: Partial<Record<OpenSearchPrincipal, Status>> = {
  nobody: 401,
  "wrong-password": 401,
  "unknown-ca": "no answer",
  "other-subject": 401,
};

interface OpenSearchOperation {
  readonly operation: string;
  /** The method and path. */
  readonly request: `${"HEAD" | "GET" | "POST" | "PUT" | "PATCH" | "DELETE"} /${string}`;
  readonly body?: string;
  /** Whether unauthenticated principals try it too. OpenSearch blocks an address after 30 failed logins in 20 s. */
  readonly alsoUnauthenticated?: boolean;
  readonly answers: Answers<OpenSearchPrincipal, Status>;
}

// In order: the first operations write what the next ones read.
const OPENSEARCH_OPERATIONS: readonly OpenSearchOperation[] = [
  {
    operation: "write to an index of shop's pattern",
    request: "POST /logs-shop-1/_doc?refresh=true",
    body: '{"message":"sold"}',
    alsoUnauthenticated: true,
    answers: { shop: 201, "os-admin": 201, others: 403 },
  },
  {
    operation: "send a bulk request",
    request: "POST /logs-shop-1/_bulk",
    body: '{"create":{}}\n{"message":"sold"}\n',
    // Anyone who writes to an index may send one. For ledger, OpenSearch refuses what is in it.
    answers: { shop: 200, ledger: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "read an index of shop's pattern",
    request: "GET /logs-shop-1/_search",
    alsoUnauthenticated: true,
    answers: { ledger: 200, "os-admin": 200, others: 403 },
  },
  // What clients ask about their own indices.
  {
    operation: "find out whether an index exists",
    request: "HEAD /logs-shop-1",
    answers: { shop: 200, ledger: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "read the mapping of an index",
    request: "GET /logs-shop-1/_mapping",
    answers: { shop: 200, ledger: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "read the settings of an index",
    request: "GET /logs-shop-1/_settings",
    answers: { shop: 200, ledger: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "read the aliases of an index",
    request: "GET /logs-shop-1/_alias",
    answers: { shop: 200, ledger: 200, alloy: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "refresh an index",
    request: "POST /logs-shop-1/_refresh",
    answers: { shop: 200, ledger: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "append to an index",
    request: "POST /ledger-1/_doc?refresh=true",
    body: '{"message":"booked"}',
    answers: { ledger: 201, "os-admin": 201, others: 403 },
  },
  {
    operation: "read an index to which ledger appends",
    request: "GET /ledger-1/_search",
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "send several searches by template",
    request: "POST /_msearch/template",
    body: '{"index":"logs-shop-1"}\n{"source":{"query":{"match_all":{}}}}\n',
    // Anyone who reads an index may send them. For shop, OpenSearch refuses what is in it.
    answers: { shop: 200, ledger: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "copy an index that ledger reads to one to which it appends",
    request: "POST /_reindex?refresh=true",
    body: '{"source":{"index":"logs-shop-1"},"dest":{"index":"ledger-1"}}',
    answers: { ledger: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "copy an index to one to which ledger does not append",
    request: "POST /_reindex?refresh=true",
    body: '{"source":{"index":"logs-shop-1"},"dest":{"index":"logs-shop-2"}}',
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "copy an index that ledger does not read",
    request: "POST /_reindex?refresh=true",
    body: '{"source":{"index":"ledger-1"},"dest":{"index":"closed-1"}}',
    answers: { "os-admin": 200, others: 403 },
  },
  // 404: the document does not exist.
  {
    operation: "get a document of that index",
    request: "GET /ledger-1/_doc/none",
    answers: { "os-admin": 404, others: 403 },
  },
  {
    operation: "update a document of that index, and read it back",
    request: "POST /ledger-1/_update/none?_source=true",
    body: '{"doc":{}}',
    answers: { "os-admin": 404, others: 403 },
  },
  {
    operation: "delete a document of that index",
    request: "DELETE /ledger-1/_doc/none",
    answers: { "os-admin": 404, others: 403 },
  },
  {
    operation: "update a document of an index to which shop writes",
    request: "POST /logs-shop-1/_update/none",
    body: '{"doc":{}}',
    answers: { shop: 404, "os-admin": 404, others: 403 },
  },
  // Writing does not include it.
  {
    operation: "delete a document of an index to which shop writes",
    request: "DELETE /logs-shop-1/_doc/none",
    answers: { "os-admin": 404, others: 403 },
  },
  {
    operation: "write to an index that ledger manages",
    request: "POST /closed-1/_doc?refresh=true",
    body: '{"team":"shop"}',
    answers: { ledger: 201, "os-admin": 201, others: 403 },
  },
  // 400: it exists.
  {
    operation: "create an index that ledger manages",
    request: "PUT /closed-1",
    body: '{"aliases":{"closed-all":{}}}',
    answers: { ledger: 400, "os-admin": 400, others: 403 },
  },
  {
    operation: "change the settings of an index that ledger manages",
    request: "PUT /closed-1/_settings",
    body: '{"index":{"refresh_interval":"1s"}}',
    answers: { ledger: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "delete a document of an index that ledger manages",
    request: "DELETE /closed-1/_doc/none",
    answers: { ledger: 404, "os-admin": 404, others: 403 },
  },
  {
    operation: "read an index of which shop reads some documents",
    request: "GET /closed-1/_search",
    answers: { shop: 200, ledger: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "delete an index that ledger manages",
    request: "DELETE /closed-none",
    answers: { ledger: 404, "os-admin": 404, others: 403 },
  },
  {
    operation: "write to another index",
    request: "POST /other/_doc",
    body: '{"message":"sold"}',
    answers: { "os-admin": 201, others: 403 },
  },
  {
    operation: "read every index",
    request: "GET /_search",
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "list the indices",
    request: "GET /_cat/indices",
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "change the settings of an index",
    request: "PUT /logs-shop-1/_settings",
    body: '{"index":{"refresh_interval":"1s"}}',
    answers: { "os-admin": 200, others: 403 },
  },
  {
    // A document with a new field does that too, so anyone who writes may.
    operation: "add a field to the mapping of an index",
    request: "PUT /logs-shop-1/_mapping",
    body: '{"properties":{"shelf":{"type":"keyword"}}}',
    answers: { shop: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "read an index template",
    request: "GET /_index_template/logs_template",
    answers: { "os-init": 200, checks: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "write an index template",
    request: "PUT /_index_template/mine",
    body: '{"index_patterns":["mine"]}',
    // Alone here, other-subject would have the permission of the service whose common name it has.
    alsoUnauthenticated: true,
    answers: { "os-init": 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "delete an index template",
    request: "DELETE /_index_template/mine",
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "write a component template",
    request: "PUT /_component_template/mine",
    body: '{"template":{}}',
    answers: { "os-init": 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "delete a component template",
    request: "DELETE /_component_template/mine",
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "write an ingest pipeline",
    request: "PUT /_ingest/pipeline/mine",
    body: '{"processors":[]}',
    answers: { "os-init": 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "delete an ingest pipeline",
    request: "DELETE /_ingest/pipeline/mine",
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "read the health of the cluster",
    request: "GET /_cluster/health",
    answers: {
      "os-init": 200,
      checks: 200,
      alloy: 200,
      "opensearch-1": 200,
      "os-admin": 200,
      others: 403,
    },
  },
  {
    operation: "read the state of the cluster",
    request: "GET /_cluster/state/metadata",
    answers: { checks: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "read the statistics of the nodes",
    request: "GET /_nodes/stats",
    answers: { alloy: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "read the statistics of the indices",
    request: "GET /_all/_stats",
    answers: { alloy: 200, "os-admin": 200, others: 403 },
  },
  {
    operation: "change the settings of the cluster",
    request: "PUT /_cluster/settings",
    body: '{"persistent":{"action.auto_create_index":null}}',
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "list the users",
    request: "GET /_plugins/_security/api/internalusers",
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "create a user",
    request: "PUT /_plugins/_security/api/internalusers/mine",
    body: '{"password":"one-that-is-Long-3nough"}',
    alsoUnauthenticated: true,
    answers: { "os-admin": 201, others: 403 },
  },
  {
    operation: "delete a user",
    request: "DELETE /_plugins/_security/api/internalusers/mine",
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "change whose certificates have which name",
    request: "PATCH /_plugins/_security/api/securityconfig",
    body: '[{"op":"add","path":"/config/dynamic/filtered_alias_mode","value":"warn"}]',
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "read the index of the security plugin",
    request: "GET /.opendistro_security/_search",
    answers: { "os-admin": 200, others: 403 },
  },
  {
    operation: "delete an index",
    request: "DELETE /other",
    answers: { "os-admin": 200, others: 403 },
  },
];

/** Runs a command in the folder of the visitors' files. */
type RunThere = (...command: string[]) => Finished;

const HTTP_AUTHORIZATION = readFileSync(join(__dirname, "http-authorization.sh"), "utf8");

/** Sends a request as every principal, whose curl config is in the file of its name. Returns the answers. */
export function askAs(
  principals: readonly string[],
  run: RunThere,
  method: string,
  url: string,
  body = "",
): Map<string, Status> {
  const { output } = run("sh", "-c", HTTP_AUTHORIZATION, "sh", method, url, body, ...principals);
  return new Map(
    [...output.matchAll(/^(\S+) (\d{3})$/gm)].map(([, principal, status]) => [
      principal,
      status === "000" ? "no answer" : Number(status),
    ]),
  );
}

/** Tries every operation on OpenSearch as every principal, from each place with the address to use there. */
export function testOpenSearchAuthorization(
  visitors: () => Visitors,
  places: Readonly<Record<string, { readonly url: string; readonly run: RunThere }>>,
): void {
  beforeAll(() => {
    const login = (application: string) =>
      `user = "${application}:${visitors().project.passwordOf(application)}"`;
    const curlSettings: Record<OpenSearchPrincipal, string> = {
      nobody: "",
      "wrong-password": 'user = "shop:wrong"',
      "unknown-ca": "cert = unknown-ca.pem",
      "other-subject": "cert = other-subject.pem",
      shop: login("shop"),
      ledger: login("ledger"),
      "kafka-init": "cert = kafka-init.pem",
      "os-init": "cert = os-init.pem",
      checks: "cert = checks.pem",
      alloy: "cert = alloy.pem",
      grafana: "cert = grafana.pem",
      loki: "cert = loki.pem",
      prometheus: "cert = prometheus.pem",
      "kafka-1": "cert = kafka-1.pem",
      "opensearch-1": "cert = opensearch-1.pem",
      "os-admin": "cert = os-admin.pem",
    };
    for (const [principal, settings] of Object.entries(curlSettings)) {
      visitors().put(principal, `${settings}\n`);
    }
  });

  describe.each(Object.keys(places))(
    "from %s, OpenSearch allows only permitted principals to",
    (place) => {
      test.each(OPENSEARCH_OPERATIONS)(
        "$operation",
        ({ operation, request, body = "", alsoUnauthenticated = false, answers }) => {
          const { url, run } = places[place];
          const principals = OPENSEARCH_PRINCIPALS.filter(
            (principal) => alsoUnauthenticated || !(principal in OPENSEARCH_UNAUTHENTICATED),
          );
          const [method, path] = request.split(" ");
          expectAnswers(
            operation,
            askAs(principals, run, method, `${url}${path}`, body),
            answersOf(principals, OPENSEARCH_UNAUTHENTICATED, answers),
          );
        },
      );
    },
  );
}

const KAFKA_PRINCIPALS = {
  project_net: ["nobody", "nobody-over-tls", "wrong-password", "shop", "ledger"],
  infra_net: [
    ...(["nobody-inside", "unknown-ca", "os-init", "alloy", "grafana", "loki"] as const),
    ...(["prometheus", "checks", "opensearch-1", "os-admin", "kafka-init"] as const),
  ],
} as const;
type KafkaPrincipal = (typeof KAFKA_PRINCIPALS)[keyof typeof KAFKA_PRINCIPALS][number];

/** The outcomes that KafkaAuthorization.java prints. */
type Outcome = "allowed" | "empty" | "denied" | "unauthenticated" | "no answer" | "no address";

const KAFKA_UNAUTHENTICATED: Partial<Record<KafkaPrincipal, Outcome>> = {
  nobody: "no answer",
  "nobody-over-tls": "no answer",
  "wrong-password": "unauthenticated",
  "nobody-inside": "unauthenticated",
  "unknown-ca": "unauthenticated",
};

/** The answer for principals that Kafka knows, but that have no permission. */
const withoutPermission = (outcome: Outcome) => ({
  "os-init": outcome,
  grafana: outcome,
  loki: outcome,
  prometheus: outcome,
  checks: outcome,
  "opensearch-1": outcome,
  "os-admin": outcome,
});

/** The expected outcomes by operation, as KafkaAuthorization.java names them. */
const KAFKA_OPERATIONS: Readonly<Record<string, Answers<KafkaPrincipal, Outcome>>> = {
  "list the topics": { ...withoutPermission("empty"), others: "allowed" },
  "describe the topic": { ...withoutPermission("denied"), others: "allowed" },
  "write to the topic": { shop: "allowed", "kafka-init": "allowed", others: "denied" },
  "read the topic": { ledger: "allowed", "kafka-init": "allowed", others: "denied" },
  "read the offsets of the group": {
    ledger: "allowed",
    alloy: "allowed",
    "kafka-init": "allowed",
    others: "denied",
  },
  "commit an offset of the group": { ledger: "allowed", "kafka-init": "allowed", others: "denied" },
  "create a topic": { "kafka-init": "allowed", others: "denied" },
  "delete a topic": { "kafka-init": "allowed", others: "denied" },
  "add partitions": { "kafka-init": "allowed", others: "denied" },
  "read the configs of the topic": { "kafka-init": "allowed", others: "denied" },
  "change the configs of the topic": { "kafka-init": "allowed", others: "denied" },
  "list the ACLs": { "kafka-init": "allowed", others: "denied" },
  "create an ACL": { "kafka-init": "allowed", others: "denied" },
  "delete ACLs": { "kafka-init": "allowed", others: "denied" },
  "change a user": { "kafka-init": "allowed", others: "denied" },
  "describe the quorum": { "kafka-init": "allowed", others: "denied" },
  "ask a controller": {
    // Controllers are not on the applications' network.
    nobody: "no address",
    "nobody-over-tls": "no address",
    "wrong-password": "no address",
    shop: "no address",
    ledger: "no address",
    "kafka-init": "allowed",
    others: "denied",
  },
};

/** Tries every operation on Kafka as every principal, from both networks. */
export function testKafkaAuthorization(visitors: () => Visitors): void {
  /** The outcomes by operation and principal. */
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
    const withKeyPair = (name: string) =>
      `${inside}ssl.keystore.type=PEM\nssl.keystore.location=/tmp/${name}.pem\n`;
    const unanswered = "patience.seconds=12\n";
    const clients: Record<KafkaPrincipal, string> = {
      nobody: `bootstrap.servers=kafka:9092\nsecurity.protocol=PLAINTEXT\n${unanswered}`,
      "nobody-over-tls": `${shop.replace(/^(sasl|security)\..*\n/gm, "")}security.protocol=SSL\n${unanswered}`,
      "wrong-password": shop.replace(/password="[^"]*"/, 'password="wrong"'),
      shop,
      ledger: project.credentials("ledger", "properties"),
      "nobody-inside": inside,
      "unknown-ca": withKeyPair("unknown-ca"),
      "os-init": withKeyPair("os-init"),
      alloy: withKeyPair("alloy"),
      grafana: withKeyPair("grafana"),
      loki: withKeyPair("loki"),
      prometheus: withKeyPair("prometheus"),
      checks: withKeyPair("checks"),
      "opensearch-1": withKeyPair("opensearch-1"),
      "os-admin": withKeyPair("os-admin"),
      "kafka-init": withKeyPair("kafka-init"),
    };
    const jar = join(folder, "kafka-authorization.jar");
    execFileSync(process.execPath, [
      join(CONSTRUCTS, "kafka", "kafka-init", "build.mjs"),
      ...["--sources", join(__dirname, "kafka-authorization"), "--jar", jar],
    ]);
    for (const [principal, properties] of Object.entries(clients)) {
      visitors().put(`${principal}.properties`, properties);
    }
    for (const network of ["project_net", "infra_net"] as const) {
      guests[network].copy(jar, "kafka-authorization.jar");
      const { output } = guests[network].run(
        ...["java", "-cp", "/opt/kafka/libs/*:kafka-authorization.jar", "KafkaAuthorization"],
        ...["infra-events", "ledger"],
        ...KAFKA_PRINCIPALS[network].map((principal) => `${principal}.properties`),
      );
      for (const [, principal, operation, outcome] of output.matchAll(
        /^(\S+)\.properties\t(.*)\t(.*)$/gm,
      )) {
        const ofOperation = outcomes.get(operation) ?? new Map<string, string>();
        outcomes.set(operation, ofOperation.set(principal, outcome));
      }
    }
  });

  describe("Kafka allows only permitted principals to", () => {
    test.each(Object.entries(KAFKA_OPERATIONS))("%s", (operation, answers) => {
      expectAnswers<string>(
        operation,
        outcomes.get(operation),
        answersOf(Object.values(KAFKA_PRINCIPALS).flat(), KAFKA_UNAUTHENTICATED, answers),
      );
    });
  });
}
