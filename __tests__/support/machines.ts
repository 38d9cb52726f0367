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

/** Deploys a platform on three machines before the tests of a file, and leaves nothing of it after them. */
export function onMachines(deploy = () => npm("up")): void {
  beforeAll(async () => {
    await freshLab(labThree);
    expectDone(deploy());
  });
  afterEach(endLoad);
  afterAll(stopMachines);
}

/** A deploy has found nothing to do, on any machine. */
export function expectNoChanges(deployed: Finished): void {
  expectDone(deployed);
  expect(deployed.output.match(/: no changes/g)).toHaveLength(5 * (1 + MACHINES.length));
}

/** Arguments by which the docker CLI asks the engine of a machine. */
const at = (machine: string) => [
  "--host",
  String(MACHINES.find(({ name }) => name === machine)?.engine),
];

/** The docker CLI at the engine of a machine. */
export function on(machine: string, ...args: string[]): string {
  return docker(...at(machine), ...args);
}

/** The names of the containers that each machine lists, sorted. */
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

/** The number of the nodes on a machine. */
const nodeOn = (machine: string) => MACHINES.findIndex(({ name }) => name === machine) + 1;

/** Runs a command in an application's container on a machine, which knows the platform by its names alone. */
export function asApplication(machine: string, command: string): string {
  return on(machine, "run", "--rm", ...application(command));
}

const application = (command: string) => [
  ...[...TRIAL, "--network", labThree.networks.project.name],
  ...["--entrypoint", "sh", "apache/kafka:4.3.1", "-c", command],
];

/** What the node of OpenSearch on a machine answers. */
export const openSearchOn = (machine: string, path: string, method = "GET"): Json =>
  JSON.parse(
    on(
      machine,
      ...["exec", `opensearch-${nodeOn(machine)}`, "curl", "--silent", "--request", method],
      `localhost:9200${path}`,
    ),
  );

/** What a tool of Kafka's says in the broker on a machine. */
export const kafkaOn = (machine: string, tool: string, ...args: string[]) =>
  on(
    machine,
    ...["exec", `kafka-${nodeOn(machine)}`, `${KAFKA}/${tool}.sh`],
    ...["--bootstrap-server", `kafka-${nodeOn(machine)}.infra_net:19092`, ...args],
  );

/** Topics of which not every replica is in sync, asked of the broker on that machine. */
const behind = (machine: string) =>
  kafkaOn(machine, "kafka-topics", "--describe", "--under-replicated-partitions");

/** Waits until both clusters miss what was on another machine. */
export async function missed(asked: string): Promise<void> {
  await eventually(() => {
    const health = openSearchOn(asked, "/_cluster/health");
    return health.number_of_nodes === 2 && health.status !== "red" ? [] : [health];
  });
  await eventually(() => (behind(asked) === "" ? ["Kafka misses no broker"] : []));
}

/**
 * What a broker does not know yet of what the controllers have decided: one that was cut off answers for a while with what was so before,
 * also when it is asked whether replicas are in sync, or how many records a partition has.
 */
function outOfDate(asked: string): string[] {
  const status = kafkaOn(asked, "kafka-metadata-quorum", "describe", "--replication");
  const [, ...nodes] = status.split("\n");
  // NodeId, DirectoryId, LogEndOffset, Lag: the log grows by two records a second.
  return nodes.length === 3 && nodes.every((node) => Number(node.split(/\s+/)[3]) < 5)
    ? []
    : [status];
}

/** What the clusters miss of being healthy: every node there, with all that it is to have. */
export function missing(asked: string): unknown[] {
  const health = openSearchOn(asked, "/_cluster/health");
  if (health.number_of_nodes !== 3 || health.status !== "green") {
    return [health];
  }
  // Kafka's tools last, since each of them is a JVM that takes the CPUs from who starts.
  const stale = outOfDate(asked);
  return stale.length > 0 ? stale : [behind(asked)].filter((topics) => topics !== "");
}

export const wholeAgain = (asked: string) => eventually(() => missing(asked));

/**
 * Starts a machine that lost its power, and waits until both clusters are healthy. Its containers start by themselves, but for those that its
 * engine tries to start before it has the Swarm's networks: it says "failed to start swarm container", and does not try again.
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

/** A producer (acks=all) and an indexer on one machine, and at their end a look at what is there of all that was acknowledged. */
export interface MachineLoad {
  /** Waits until both have written more. */
  readonly goesOn: () => Promise<void>;
  /** Ends them. Fails where a write was refused, or one that was acknowledged is not there. */
  readonly finish: () => void;
}

let loads = 0;
/** Where a load is that has not been finished. */
let loaded: string | undefined;

/** Removes the load of a test that has failed. */
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
  // What its clients say of machines that do not answer is not of interest.
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
      // One may have been written that the indexer did not come to print.
      expect(found.size - documents.length).toBeLessThanOrEqual(1);
    },
  };
}

/** How many records the topic has. */
export function recordsOn(machine: string): number {
  return kafkaOn(machine, "kafka-get-offsets", "--topic", TOPIC)
    .split("\n")
    .reduce((sum, line) => sum + Number(line.split(":")[2]), 0);
}

/** Every record of the topic, as the consumer prints it. */
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
