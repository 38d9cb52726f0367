import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker, openSearch, records, TRIAL } from "./lab";
import type { Json } from "./platform";

const TOPIC = "infra-events";

/** What applications saw of both clusters while something was done to them. */
export interface Load {
  readonly index: string;
  /** Records that the topic had before. */
  readonly recordsBefore: number;
  /** Lines of Kafka's VerifiableProducer. */
  readonly produced: readonly Json[];
  readonly indexed: { readonly acknowledged: number; readonly failed: readonly number[] };
  /** When nodes went, and when they were healthy again. */
  readonly events: readonly {
    readonly cluster: string;
    readonly name: string;
    readonly what: string;
  }[];
}

/** What an application shows to secured clusters. */
export interface Login {
  /** `client.properties` of its Kafka clients. */
  readonly properties: string;
  /** Has `user:password` for OpenSearch, and may be changed meanwhile. */
  readonly loginFile: string;
  /** Certificates of the CAs that it trusts, PEM. */
  readonly caBundle: string;
}

/** Lets a producer (acks=all) and an indexer run for as long as the work takes. */
export async function underLoad(
  name: string,
  work: () => void | Promise<void>,
  login?: Login,
): Promise<Load> {
  const index = `logs-${name}`;
  const recordsBefore = records(TOPIC);
  // No retries is the tool's default, endless ones are every other producer's.
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
  // Followed, since the engine keeps 256 events only; into a file, since this process waits for another.
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
    // What this process has started first: it would keep jest waiting for ever.
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

/** Everything that a process printed, once it has ended. */
function outputOf(child: ChildProcess): Promise<string> {
  let output = "";
  child.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  return new Promise((resolve) => child.on("close", () => resolve(output)));
}

/** The nodes of a cluster that went, sorted. Fails when one went while another was missing. */
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

/** Of a load that lasts for a roll. */
const MANY = 500;

/** Every record was acknowledged, and the topic has them all. */
export function expectAllRecords({ produced, recordsBefore }: Load, atLeast = MANY): void {
  const sent = (name: string) => produced.filter((line) => line.name === name);
  expect(sent("producer_send_error")).toEqual([]);
  const acknowledged = sent("producer_send_success").length;
  expect(acknowledged).toBeGreaterThan(atLeast);
  expect(records(TOPIC) - recordsBefore).toBe(acknowledged);
}

/** Every document was acknowledged, and the index has them all. */
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
