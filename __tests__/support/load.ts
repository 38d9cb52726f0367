import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker, kafka, openSearch, records, TRIAL } from "./lab";
import type { Json } from "./platform";

const TOPIC = "infra-events";

/** What applications observed of both clusters while a test changed them. */
export interface Load {
  readonly index: string;
  /** The number of records that the topic had before. */
  readonly recordsBefore: number;
  /** The output lines of Kafka's VerifiableProducer. */
  readonly produced: readonly Json[];
  readonly indexed: { readonly acknowledged: number; readonly failed: readonly number[] };
  /** The times at which nodes stopped and were healthy again. */
  readonly events: readonly {
    readonly cluster: string;
    readonly name: string;
    readonly what: string;
  }[];
}

/** The credentials of an application for secured clusters. */
export interface Login {
  /** The `client.properties` of its Kafka clients. */
  readonly properties: string;
  /** The file with `user:password` for OpenSearch, which may change meanwhile. */
  readonly loginFile: string;
  /** The CA bundle that it trusts, PEM. */
  readonly caBundle: string;
}

/** Runs a producer (acks=all) and an indexer while the work runs. */
export async function underLoad(
  name: string,
  work: () => void | Promise<void>,
  login?: Login,
): Promise<Load> {
  const index = `logs-${name}`;
  const recordsBefore = records(TOPIC);
  // The tool's default is no retries, while other producers retry without limit.
  const produce = `printf '%s\\nretries=2147483647\\n' "$PROPERTIES" >/tmp/producer; exec /opt/kafka/bin/kafka-run-class.sh org.apache.kafka.tools.VerifiableProducer --bootstrap-server kafka:9092 --topic ${TOPIC} --acks -1 --throughput 25 --command-config /tmp/producer`;
  docker(
    ...["run", ...TRIAL, "--detach", "--name", "producer", "--network", "project_net"],
    ...["--env", `PROPERTIES=${login?.properties ?? ""}`],
    ...["--entrypoint", "sh", "apache/kafka:4.3.1", "-c", produce],
  );
  const folder = mkdtempSync(join(tmpdir(), "groundwork-load-"));
  const caBundle = join(folder, "ca-bundle.pem");
  writeFileSync(caBundle, login?.caBundle ?? "");
  const indexer = spawn(
    "node",
    [
      join(__dirname, "indexer.mjs"),
      index,
      ...[9200, 9201, 9202].map((port) => `${login ? "https" : "http"}://127.0.0.1:${port}`),
    ],
    {
      env: {
        ...process.env,
        ...(login && {
          NODE_EXTRA_CA_CERTS: caBundle,
          LOGIN_FILE: login.loginFile,
        }),
      },
    },
  );
  const fromIndexer = outputOf(indexer);
  // Followed, since the engine keeps only 256 events. Into a file, since this process waits for another one.
  const file = join(folder, "events");
  const follower = spawn(
    "docker",
    [
      ...["events", "--filter", "label=groundwork.cluster", "--format", "{{json .}}"],
      ...["--filter", "event=destroy", "--filter", "event=health_status"],
    ],
    { env: process.env, stdio: ["ignore", openSync(file, "w"), "inherit"] },
  );
  let log: string;
  try {
    await work();
  } finally {
    // Child processes first, or they keep jest waiting forever.
    indexer.kill("SIGTERM");
    follower.kill();
    docker("stop", "producer");
    log = docker("logs", "producer");
    docker("rm", "producer");
  }
  const produced = log.split("\n").map((line) => JSON.parse(line));
  const events = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .map(({ Action, Actor }) => ({
      cluster: Actor.Attributes["groundwork.cluster"],
      name: Actor.Attributes.name,
      what: Action,
    }));
  rmSync(folder, { recursive: true });
  return { index, recordsBefore, produced, indexed: JSON.parse(await fromIndexer), events };
}

/** Returns the output of a process after it ended. */
function outputOf(child: ChildProcess): Promise<string> {
  let output = "";
  child.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  return new Promise((resolve) => child.on("close", () => resolve(output)));
}

/** Returns the nodes of a cluster that stopped, sorted. Fails if one stopped while another was missing. */
export function goneOneByOne({ events }: Load, cluster: string): string[] {
  const gone: string[] = [];
  let missing: string | undefined;
  for (const { name, what } of events.filter((event) => event.cluster === cluster)) {
    if (what === "destroy") {
      expect({ gone: name, missing }).toEqual({ gone: name, missing: undefined });
      gone.push(name);
      missing = name;
    } else if (what === "health_status: healthy" && name === missing) {
      missing = undefined;
    }
  }
  expect(missing).toBeUndefined();
  return gone.sort();
}

/** The least number of writes in a load during a rolling change. */
const MANY = 500;

/** Asserts that every record was acknowledged, and is in the topic once: where the broker said, and as it was sent. */
export function expectAllRecords({ produced, recordsBefore }: Load, atLeast = MANY): void {
  const sent = (name: string) => produced.filter((line) => line.name === name);
  expect(sent("producer_send_error")).toEqual([]);
  const acknowledged = sent("producer_send_success");
  expect(acknowledged.length).toBeGreaterThan(atLeast);
  const values = new Map(
    acknowledged.map(({ partition, offset, value }) => [`${partition} ${offset}`, value]),
  );
  // If a broker loses records, later ones get their offsets.
  expect(values.size).toBe(acknowledged.length);
  const stored = valuesIn(TOPIC);
  expect(stored.size - recordsBefore).toBe(acknowledged.length);
  expect(new Map([...values.keys()].map((place) => [place, stored.get(place)]))).toEqual(values);
}

/** Reads every record of a topic that has never deleted one, by partition and offset. */
function valuesIn(topic: string): Map<string, string> {
  const output = kafka("kafka-console-consumer", [
    ...["--topic", topic, "--from-beginning", "--max-messages", String(records(topic))],
    ...["--formatter-property", "print.partition=true"],
    ...["--formatter-property", "print.offset=true"],
  ]);
  const found = output.matchAll(/^Partition:(\d+)\tOffset:(\d+)\t(.*)$/gm);
  return new Map(
    [...found].map(([, partition, offset, value]) => [`${partition} ${offset}`, value]),
  );
}

/** Asserts that every document was acknowledged and is in the index. */
export function expectAllDocuments(
  { index, indexed }: Load,
  ask: (method: string, path: string) => Json = openSearch,
  atLeast = MANY,
): void {
  expect(indexed.failed).toEqual([]);
  expect(indexed.acknowledged).toBeGreaterThan(atLeast);
  ask("POST", `/${index}/_refresh`);
  expect(ask("GET", `/${index}/_count`).count).toBe(indexed.acknowledged);
}
