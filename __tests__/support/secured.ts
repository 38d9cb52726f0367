import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KAFKA_IMAGE } from "../../constructs";
import type { Environment } from "../../environments";
import { labSecured } from "../../lab/environments";
import { eventually } from "./eventually";
import { docker, expectDone, type Finished, freshLab, NODES, run, TRIAL } from "./lab";
import { ProjectCopy } from "./project-copy";

const APPLICATIONS = `[
  {
    name: "shop",
    topics: { "infra-events": "write" },
    indices: {
      ...{ "logs-shop-*": "write", "application-logs": "write" },
      "closed-*": { access: "read", documents: { term: { team: "shop" } }, fields: ["team", "message"] },
    },
  },
  {
    name: "ledger",
    topics: { "infra-events": "read" },
    consumerGroups: ["ledger"],
    quotas: { consumeBytesPerSecond: 100_000_000, requestPercent: 150 },
    indices: {
      ...{ "logs-shop-*": "read", "ledger-*": "append" },
      ...{ "application-logs": "append", "application-log*": "read", "closed-*": "manage" },
    },
  },
]`;

/** A copy of the project that deploys a secured lab, with two applications: "shop" writes, "ledger" reads and appends. */
export class SecuredProject extends ProjectCopy {
  /** The folder of its secrets. */
  readonly secrets: string;

  constructor({ name }: Environment = labSecured) {
    super();
    this.secrets = join(this.folder, ".state", name, "secrets");
    const from = "applications: readonly Application[] = ";
    this.edit("catalog/applications.ts", `${from}[]`, `${from}${APPLICATIONS}`);
  }

  /** Returns the credentials of an application. */
  credentials(application: string, format: string): string {
    return this.command("credentials", application, "--format", format).output;
  }

  passwordOf(application: string): string {
    return readFileSync(
      join(this.secrets, "applications", `${application}.password`),
      "utf8",
    ).trim();
  }

  /** Returns the key and certificate of a principal, PEM. */
  keyPairOf(principal: string): string {
    return readFileSync(join(this.secrets, "key-pairs", `${principal}.pem`), "utf8");
  }
}

/** Deploys a secured lab before the tests of a file, and removes the copy of the project after them. */
export function deployedSecuredLab(
  deploy: (project: SecuredProject) => Finished | Promise<Finished> = (project) =>
    project.command("up"),
): SecuredProject {
  const project = new SecuredProject();
  beforeAll(async () => {
    await freshLab(labSecured);
    expectDone(await deploy(project));
  });
  afterAll(() => project.remove());
  return project;
}

/** A container on a network of the platform that is not part of it. */
export class Guest {
  private readonly at: readonly string[];

  constructor(
    readonly name: string,
    network: string,
    /** The address of the engine. @default - the lab's */
    engine?: string,
  ) {
    this.at = engine ? ["--host", engine] : [];
    docker(
      ...[
        ...this.at,
        "run",
        ...TRIAL,
        "--detach",
        "--name",
        name,
        "--network",
        network,
        "--workdir",
        "/tmp",
      ],
      ...["--entrypoint", "sleep", KAFKA_IMAGE, "infinity"],
    );
  }

  run(...args: string[]): Finished {
    return run("docker", [...this.at, "exec", this.name, ...args]);
  }

  /** Returns the HTTP status of a request with curl, which trusts the CA in ca.pem. 000 means no answer. */
  status(url: string, ...options: string[]): string {
    return this.run(
      ...["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"],
      ...["--cacert", "ca.pem", ...options, url],
    ).output;
  }

  put(file: string, content: string): void {
    this.run("sh", "-c", 'printf %s "$1" >"$0"', `/tmp/${file}`, content);
  }

  /** Copies a file of this machine to the container. */
  copy(from: string, file: string): void {
    docker(...this.at, "cp", from, `${this.name}:/tmp/${file}`);
  }

  remove(): void {
    docker(...this.at, "rm", "--force", this.name);
  }
}

/**
 * Asserts that every listener between nodes, and those for clients, present the current certificate of their node. `client` is on the
 * project network, and so are these ports of brokers.
 */
export function expectReloaded(
  project: SecuredProject,
  client: Guest,
  clientPorts: readonly string[] = ["9092"],
): void {
  const infra = new Guest("infra", "infra_net");
  try {
    const ports = {
      kafka: { inside: ["19092", "9093", "29092"], outside: clientPorts },
      opensearch: { inside: ["9200", "9300"], outside: ["9200"] },
    };
    const listeners = Object.entries(NODES).flatMap(([cluster, nodes]) => {
      const { inside, outside } = ports[cluster as keyof typeof ports];
      return nodes.flatMap((node) => [
        // Java refuses a TLS client that asks for a host with an underscore.
        ...inside.map((port) => [infra, node, `${node}.infra-net:${port}`] as const),
        ...outside.map((port) => [client, node, `${node}.project-net:${port}`] as const),
      ]);
    });
    const serialAt = (guest: Guest, address: string) =>
      guest
        .run(
          ...["sh", "-c"],
          `openssl s_client -connect ${address} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
        )
        .output.trim();
    expect(listeners.map(([guest, , address]) => [address, serialAt(guest, address)])).toEqual(
      listeners.map(([, node, address]) => [
        address,
        `serial=${new X509Certificate(project.keyPairOf(node)).serialNumber}`,
      ]),
    );
  } finally {
    infra.remove();
  }
}

/** A producer that keeps one connection to Kafka open, as an application, and sends a record a second to the topic infra-events. */
export class HeldProducer {
  private constructor() {}

  /** Starts it with an application's properties, and waits for its first record. */
  static async connect(properties: string): Promise<HeldProducer> {
    const produce = `printf '%s' "$PROPERTIES" >/tmp/producer; exec /opt/kafka/bin/kafka-run-class.sh org.apache.kafka.tools.VerifiableProducer --bootstrap-server kafka:9092 --topic infra-events --acks -1 --throughput 1 --command-config /tmp/producer 2>&1`;
    docker(
      ...["run", ...TRIAL, "--detach", "--name", "connected", "--network", "project_net"],
      ...["--env", `PROPERTIES=${properties}`, "--entrypoint", "sh", KAFKA_IMAGE, "-c", produce],
    );
    const producer = new HeldProducer();
    await eventually(() =>
      producer.log().includes("producer_send_success") ? [] : [producer.log()],
    );
    return producer;
  }

  log(): string {
    return docker("logs", "connected");
  }

  /** Waits until no send succeeds any more. */
  async isRefused(): Promise<void> {
    const lastSends = () => (this.log().match(/producer_send_(success|error)/g) ?? []).slice(-10);
    await eventually(() =>
      new Set(lastSends()).size === 1 && lastSends()[0] === "producer_send_error"
        ? []
        : [this.log()],
    );
  }

  remove(): void {
    docker("rm", "--force", "connected");
  }
}
