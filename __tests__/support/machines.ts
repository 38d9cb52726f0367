import { readFileSync } from "node:fs";
import { join } from "node:path";
import { labThree } from "../../lab/environments";
import { stopMachines } from "../../lab/prepare";
import { runLabScript } from "../../lab/scripts";
import { eventually } from "./eventually";
import { docker, expectDone, type Finished, freshLab, npm, run, TRIAL } from "./lab";
import type { Json } from "./platform";

export const MACHINES = labThree.machines;
export const KAFKA = "/opt/kafka/bin";
const TOPIC = "infra-events";

/** Deploys a platform on three machines before the tests of a file, and removes it after them. */
export function onMachines(deploy: () => Finished | Promise<Finished> = () => npm("up")): void {
  beforeAll(async () => {
    await freshLab(labThree);
    expectDone(await deploy());
  });
  afterEach(endLoad);
  afterAll(stopMachines);
}

/** Asserts that a deploy found no changes on any machine. */
export function expectNoChanges(deployed: Finished): void {
  expectDone(deployed);
  expect(deployed.output.match(/: no changes/g)).toHaveLength(5 * (1 + MACHINES.length));
}

/** Returns the nodes of a cluster that a command replaced. Fails if one stopped before the previous one was back. */
export function rolledIn(output: string, cluster: string): string[] {
  const steps = [
    ...output.matchAll(new RegExp(`: (${cluster}-\\d): (destroyed|created) after`, "g")),
  ].map(([, node, step]) => `${node} ${step}`);
  const nodes = steps.filter((_, i) => i % 2 === 0).map((step) => step.split(" ")[0]);
  expect(steps).toEqual(nodes.flatMap((node) => [`${node} destroyed`, `${node} created`]));
  return nodes;
}

/** Returns the arguments that point the docker CLI at the engine of a machine. */
const at = (machine: string) => [
  "--host",
  String(MACHINES.find(({ name }) => name === machine)?.engine),
];

/** Runs docker on the engine of a machine. */
export function on(machine: string, ...args: string[]): string {
  return docker(...at(machine), ...args);
}

/** Returns the names of the containers on each machine, sorted. */
export function containersByMachine(...options: string[]): Record<string, string> {
  const list = ["ps", ...options, "--format", "{{.Names}}"];
  return Object.fromEntries(
    MACHINES.map(({ name }) => [
      name,
      on(name, ...list)
        .split("\n")
        .sort()
        .join(" "),
    ]),
  );
}

/** Returns the number of the nodes on a machine. */
const nodeOn = (machine: string) => MACHINES.findIndex(({ name }) => name === machine) + 1;

/** Runs a command in an application's container on a machine, which reaches the platform only by host name. */
export function asApplication(machine: string, command: string): string {
  return on(machine, "run", "--rm", ...application(command));
}

const application = (command: string) => [
  ...[...TRIAL, "--network", labThree.networks.project.name],
  ...["--entrypoint", "sh", "apache/kafka:4.3.1", "-c", command],
];

/** Sends a request to the OpenSearch node on a machine. */
export const openSearchOn = (machine: string, path: string, method = "GET", body?: unknown): Json =>
  JSON.parse(
    on(
      machine,
      ...["exec", `opensearch-${nodeOn(machine)}`, "curl", "--silent", "--request", method],
      ...(body === undefined
        ? []
        : ["--header", "Content-Type: application/json", "--data", JSON.stringify(body)]),
      `localhost:9200${path}`,
    ),
  );

/** Returns the output of a Kafka tool in the broker's container on a machine. */
export const kafkaOn = (machine: string, tool: string, ...args: string[]) =>
  on(
    machine,
    ...["exec", `kafka-${nodeOn(machine)}`, `${KAFKA}/${tool}.sh`],
    ...["--bootstrap-server", `kafka-${nodeOn(machine)}.infra_net:19092`, ...args],
  );

/** Returns the under-replicated partitions, as reported by the broker on a machine. */
const behind = (machine: string) =>
  kafkaOn(machine, "kafka-topics", "--describe", "--under-replicated-partitions");

/** Waits until both clusters notice that the nodes of another machine are missing. */
export async function missed(asked: string): Promise<void> {
  await eventually(() => {
    const health = openSearchOn(asked, "/_cluster/health");
    return health.number_of_nodes === 2 && health.status !== "red" ? [] : [health];
  });
  await eventually(() => (behind(asked) === "" ? ["Kafka misses no broker"] : []));
}

/**
 * Returns what a broker has not learned yet from the controllers. A broker that was cut off gives outdated answers for a while, even
 * about in-sync replicas and the number of records.
 */
function outOfDate(asked: string): string[] {
  const status = kafkaOn(asked, "kafka-metadata-quorum", "describe", "--replication");
  const [, ...nodes] = status.split("\n");
  // NodeId, DirectoryId, LogEndOffset, Lag. The log grows by two records per second.
  return nodes.length === 3 && nodes.every((node) => Number(node.split(/\s+/)[3]) < 5)
    ? []
    : [status];
}

/** Returns what the clusters lack to be healthy, with every node and all its replicas and shards. */
export function missing(asked: string): unknown[] {
  const health = openSearchOn(asked, "/_cluster/health");
  if (health.number_of_nodes !== 3 || health.status !== "green") {
    return [health];
  }
  // Kafka's tools last: each is a JVM that takes CPU from starting nodes.
  const stale = outOfDate(asked);
  return stale.length > 0 ? stale : [behind(asked)].filter((topics) => topics !== "");
}

export const wholeAgain = (asked: string) => eventually(() => missing(asked));

/**
 * Boots a machine that lost its power, and waits until both clusters are healthy. Its containers start by themselves, except those that
 * its engine tries to start before it has the Swarm's networks. It logs "failed to start swarm container" and does not retry.
 */
export async function bootAgain(machine: string, asked: string): Promise<void> {
  await runLabScript("machines.sh", "boot", machine);
  await eventually(() => {
    const left = on(machine, "ps", "--quiet", "--filter", "status=exited", ...NODES);
    if (left !== "") {
      on(machine, "start", ...left.split("\n"));
    }
    return missing(asked);
  });
}

const NODES = ["--filter", "label=groundwork.cluster"];

/** A producer (acks=all) and an indexer on one machine. At the end, checks that no acknowledged write is missing. */
export interface MachineLoad {
  /** Waits until both have written more. */
  readonly goesOn: () => Promise<void>;
  /** Stops both. Fails if a write was refused or an acknowledged one is missing. */
  readonly finish: () => void;
}

let loads = 0;
/** The machine with an unfinished load. */
let loaded: string | undefined;

/** Removes the load of a failed test. */
function endLoad(): void {
  if (loaded) {
    on(loaded, "rm", "--force", "producer", "indexer");
    loaded = undefined;
  }
}

export async function loadOn(machine: string): Promise<MachineLoad> {
  const index = `logs-load-${++loads}`;
  loaded = machine;
  const before = recordsOn(machine);
  const start = (name: string, command: string) =>
    on(machine, "run", "--detach", "--name", name, ...application(command));
  start(
    "producer",
    `echo retries=2147483647 >/tmp/producer; exec ${KAFKA}/kafka-run-class.sh org.apache.kafka.tools.VerifiableProducer --bootstrap-server kafka:9092 --topic ${TOPIC} --acks -1 --throughput 50 --command-config /tmp/producer`,
  );
  const indexer = readFileSync(join(__dirname, "indexer.sh"), "utf8");
  start("indexer", `set -- http://opensearch:9200/${index}\n${indexer}`);
  // Ignores the clients' warnings about machines that do not answer.
  const linesOf = (name: string) =>
    run("docker", [...at(machine), "logs", name]).output.split("\n");
  const sent = (what: string): Json[] =>
    linesOf("producer")
      .filter((line) => line.includes(`"name":"${what}"`))
      .map((line) => JSON.parse(line));
  const indexed = () => linesOf("indexer").filter((line) => /^\d+$/.test(line));
  const goesOn = async () => {
    const [records, documents] = [sent("producer_send_success").length, indexed().length];
    await eventually(() => {
      const more = {
        records: sent("producer_send_success").length - records,
        documents: indexed().length - documents,
      };
      return more.records > 100 && more.documents > 20 ? [] : [more];
    });
  };
  await goesOn();
  return {
    goesOn,
    finish() {
      on(machine, "stop", "producer", "indexer");
      const [acknowledged, errors, documents] = [
        sent("producer_send_success"),
        sent("producer_send_error"),
        indexed(),
      ];
      endLoad();
      expect(errors).toEqual([]);
      const there = records(machine);
      expect(there.length - before).toBe(acknowledged.length);
      const known = new Set(there);
      const lost = acknowledged
        .map(({ partition, offset, value }) => `Partition:${partition}\tOffset:${offset}\t${value}`)
        .filter((record) => !known.has(record));
      expect(lost).toEqual([]);
      openSearchOn(machine, `/${index}/_refresh`, "POST");
      const { hits } = openSearchOn(machine, `/${index}/_search?size=10000`).hits;
      const found = new Set(hits.map(({ _id, _source }: Json) => `${_id}: ${_source.message}`));
      expect(documents.filter((id) => !found.has(`${id}: document ${id}`))).toEqual([]);
      // The indexer may have been stopped after a write, before it printed it.
      expect(found.size - documents.length).toBeLessThanOrEqual(1);
    },
  };
}

/** Returns the number of records in the topic. */
export function recordsOn(machine: string): number {
  return kafkaOn(machine, "kafka-get-offsets", "--topic", TOPIC)
    .split("\n")
    .reduce((sum, line) => sum + Number(line.split(":")[2]), 0);
}

/** Returns every record of the topic as the consumer prints it. */
function records(machine: string): string[] {
  const count = recordsOn(machine);
  if (count === 0) {
    return [];
  }
  const printed = kafkaOn(
    machine,
    ...(["kafka-console-consumer", "--topic", TOPIC, "--from-beginning"] as const),
    ...["--max-messages", String(count), "--timeout-ms", "60000"],
    ...["--formatter-property", "print.partition=true"],
    ...["--formatter-property", "print.offset=true"],
  );
  return printed.split("\n").filter((line) => line.startsWith("Partition:"));
}
