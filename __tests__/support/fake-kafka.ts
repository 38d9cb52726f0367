import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { promisify } from "node:util";
import { ROOT } from "./root";

const SOURCES = join(__dirname, "kafka");
const PROGRAM = join(ROOT, "constructs", "kafka", "kafka-init");
const CACHE = join(ROOT, "node_modules", ".cache", "kafka-init");
export const JAR = `${PROGRAM}.jar`;
/** The sources of the program with which brokers reread their certificates. Its jar is beside them. */
export const CERTIFICATE_RELOAD = join(ROOT, "constructs", "kafka", "certificate-reload");
/** The same for the program with which brokers log how long requests took. */
export const REQUEST_LATENCY = join(ROOT, "constructs", "kafka", "request-latency");

/** A fault of one request or its answer. */
export interface KafkaFault {
  /** The name of the request in Kafka's protocol. */
  readonly on: string;
  /** Kafka's name of the error in the answer. */
  readonly error?: string;
  /** The message of the error. @default - Kafka's text for the error */
  readonly message?: string;
  /** The topic or user with the error. @default - all */
  readonly topic?: string;
  readonly disconnect?: boolean;
  /** Sends half of the answer, and closes the connection. */
  readonly cut?: boolean;
  /** For how long the cluster refuses connections. */
  readonly refuseMs?: number;
  readonly delayMs?: number;
  /** How much time passes for the deadline of runs, at once. */
  readonly passSeconds?: number;
  /** Topics that another client creates first. */
  readonly createFirst?: Readonly<Record<string, LiveTopic>>;
  /** Whether the answer to a create omits the effective configs, as for a client without DescribeConfigs. */
  readonly hideConfigs?: boolean;
}

export interface LiveTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** A SCRAM credential, which Kafka keeps instead of the password. Bytes are in base64. */
export interface LiveUser {
  readonly mechanism: number;
  readonly iterations: number;
  readonly salt: string;
  readonly saltedPassword: string;
}

/** Builds the jar of a folder's sources and returns the folder of the libraries. */
async function buildJar(...options: string[]): Promise<string> {
  const build = promisify(execFile);
  const { stdout } = await build(process.execPath, [join(PROGRAM, "build.mjs"), ...options]);
  return stdout.trim();
}

/** Returns the path of a program's jar, which is rebuilt if its sources changed. */
export async function buildAgain(program = PROGRAM): Promise<string> {
  const hash = createHash("sha256");
  const compiler = ["build.mjs", "pom.xml"].map((file) => join(PROGRAM, file));
  for (const file of [...readdirSync(program).map((file) => join(program, file)), ...compiler]) {
    hash.update(file).update(readFileSync(file));
  }
  const jar = join(CACHE, `again-${hash.digest("hex").slice(0, 16)}.jar`);
  if (!existsSync(jar)) {
    mkdirSync(CACHE, { recursive: true });
    await buildJar("--sources", program, "--jar", `${jar}.${process.pid}`);
    renameSync(`${jar}.${process.pid}`, jar);
  }
  return jar;
}

/** Compiles kafka-init with another version of Kafka's client library, and returns the compiler's errors. */
export async function compileWith(version: string): Promise<string> {
  const { libraries } = await buildTests(PROGRAM);
  const folder = mkdtempSync(join(CACHE, "compiled-"));
  try {
    const artifact = `org.apache.kafka:kafka-clients:${version}`;
    execFileSync("mvn", [
      ...["--batch-mode", "--quiet", "dependency:copy", `-Dartifact=${artifact}`],
      `-DoutputDirectory=${folder}`,
    ]);
    const others = readdirSync(libraries).filter((name) => !name.startsWith("kafka-clients"));
    const classPath = [
      join(folder, `kafka-clients-${version}.jar`),
      ...others.map((name) => join(libraries, name)),
    ];
    const sources = readdirSync(PROGRAM).filter((name) => name.endsWith(".java"));
    const { stderr } = spawnSync(
      "javac",
      [
        ...["-proc:none", "-d", folder, "-cp", classPath.join(":")],
        ...sources.map((name) => join(PROGRAM, name)),
      ],
      { encoding: "utf8" },
    );
    return stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns the libraries, and the jar of the tests of a program, which are rebuilt if their sources changed. */
export async function buildTests(
  program: string,
): Promise<{ readonly libraries: string; readonly jar: string }> {
  const sources = program === PROGRAM ? SOURCES : join(__dirname, basename(program));
  const hash = createHash("sha256");
  const files = readdirSync(sources).map((file) => join(sources, file));
  for (const file of [...files, `${program}.jar`, join(PROGRAM, "pom.xml")]) {
    hash.update(readFileSync(file));
  }
  const folder = join(CACHE, `tests-${hash.digest("hex").slice(0, 16)}`);
  const jar = join(folder, "tests.jar");
  const note = join(folder, "libraries");
  if (!existsSync(note)) {
    mkdirSync(folder, { recursive: true });
    const classPath = ["--class-path", `${program}.jar`];
    writeFileSync(note, await buildJar("--sources", sources, ...classPath, "--jar", jar));
  }
  return { libraries: readFileSync(note, "utf8"), jar };
}

/** What Kafka's client reads in a file, or why it cannot. */
export interface ReadFile {
  readonly error?: string;
  readonly group?: string | null;
  readonly user?: string;
  readonly password?: string;
  readonly subjects?: readonly string[];
}

/** A JVM with fake clusters that runs kafka-init against them. */
export class KafkaHarness {
  static async start(): Promise<KafkaHarness> {
    const { libraries, jar } = await buildTests(PROGRAM);
    return new KafkaHarness(libraries, jar);
  }

  private readonly folder = mkdtempSync(join(tmpdir(), "fake-kafka-"));
  private readonly runs = join(this.folder, "runs");
  private readonly hosts = join(this.folder, "hosts");
  private readonly jvm: ChildProcess;
  private readonly answers: Interface;
  private readonly waiting: ((answer: string) => void)[] = [];

  /** A replacement for `java`, for tests that do not need a new JVM. */
  readonly standIn: string;

  private constructor(
    readonly libraries: string,
    jar: string,
  ) {
    execFileSync("mkfifo", [this.runs]);
    writeFileSync(this.hosts, "");
    this.standIn = `#!/bin/sh
# Hands the run over to a running JVM, with the variables of this process.
answer=$GROUNDWORK_RUN_DIR/answer
mkfifo "$answer"
echo "$$ $answer" >'${this.runs}'
cat "$answer"
read -r code <"$answer.code"
exit "$code"
`;
    this.jvm = spawn(
      "java",
      [
        ...["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
        ...[`-Djdk.net.hosts.file=${this.hosts}`, "-cp", `${jar}:${JAR}:${libraries}/*`],
        ...["Harness", this.runs],
      ],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    this.answers = createInterface({ input: this.jvm.stdout as NodeJS.ReadableStream });
    this.answers.on("line", (line) => this.waiting.shift()?.(line));
  }

  /** Makes a host name known to the JVM. */
  addHost(name: string): void {
    appendFileSync(this.hosts, `127.0.0.1 ${name}\n`);
  }

  // biome-ignore lint/suspicious/noExplicitAny: an answer has fields by command
  ask(command: object): Promise<any> {
    return new Promise((resolve) => {
      this.waiting.push((line) => resolve(JSON.parse(line)));
      this.jvm.stdin?.write(`${JSON.stringify(command)}\n`);
    });
  }

  /** Returns what Kafka's client reads in each file: a configuration, a CA bundle or a key pair. */
  async read(
    as: "properties" | "truststore" | "keystore",
    files: readonly string[],
  ): Promise<readonly ReadFile[]> {
    return (await this.ask({ do: "read", as, files })).files;
  }

  async cluster(
    topics: Readonly<Record<string, LiveTopic>> = {},
    ...faults: KafkaFault[]
  ): Promise<FakeKafka> {
    const { port } = await this.ask({ do: "start", topics });
    const cluster = new FakeKafka(this, port);
    await cluster.inject(...faults);
    return cluster;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.jvm.on("exit", resolve));
    this.jvm.stdin?.end();
    await ended;
    rmSync(this.folder, { recursive: true });
  }
}

/** A fake cluster of three brokers that speaks Kafka's protocol. */
export class FakeKafka {
  constructor(
    private readonly harness: KafkaHarness,
    readonly port: number,
  ) {}

  /** Sets how many of the three brokers are registered and unfenced. */
  setBrokers(count: number): Promise<void> {
    return this.harness.ask({ do: "brokers", port: this.port, count });
  }

  /** Sets the racks of the three brokers. */
  setRacks(...names: [string, string, string]): Promise<void> {
    return this.harness.ask({ do: "racks", port: this.port, names: names.join() });
  }

  /** Adds ACLs, each as "User:orders ALLOW WRITE TOPIC LITERAL orders". */
  addAcls(...acls: string[]): Promise<void> {
    return this.harness.ask({ do: "acls", port: this.port, acls });
  }

  /** Creates a topic or changes it, as somebody does by hand. */
  setTopic(name: string, topic: LiveTopic): Promise<void> {
    return this.harness.ask({ do: "topic", port: this.port, name, topic });
  }

  /** Has a replica of a topic move for this number of further answers. */
  setMoving(name: string, looks: number): Promise<void> {
    return this.harness.ask({ do: "moving", port: this.port, name, looks });
  }

  /** Writes a record to the topic in which kafka-init remembers what it applied last. */
  remember(topic: string, text: string): Promise<void> {
    return this.harness.ask({ do: "remember", port: this.port, topic, text });
  }

  /** Adds a user with an unknown password. */
  addUser(name: string): Promise<void> {
    return this.harness.ask({ do: "user", port: this.port, name });
  }

  /** Runs the program that reports what the cluster has. `downServers` are bootstrap servers before its own, `host:port`. */
  inventory(
    args: readonly string[],
    declaration = "",
    downServers: readonly string[] = [],
  ): Promise<{ code: number; output: string; error: string }> {
    const otherServers = downServers.map((server) => `${server},`).join("");
    return this.harness.ask({ do: "inventory", port: this.port, args, declaration, otherServers });
  }

  /** Sets a quota of an entity such as "user=orders", "user=" for the default of users, or "user=orders,client-id=a". */
  setQuota(entity: string, key: string, value: number): Promise<void> {
    return this.harness.ask({ do: "quota", port: this.port, entity, key, value });
  }

  /** Adds faults. Each applies to the first request that matches. */
  inject(...faults: KafkaFault[]): Promise<void> {
    return this.harness.ask({ do: "inject", port: this.port, faults });
  }

  /** Lets time pass for the deadline of runs against it, at once. */
  pass(seconds: number): Promise<void> {
    return this.harness.ask({ do: "pass", port: this.port, seconds });
  }

  /** Stops listening. */
  refuse(): Promise<void> {
    return this.harness.ask({ do: "refuse", port: this.port });
  }

  listen(): Promise<void> {
    return this.harness.ask({ do: "listen", port: this.port });
  }

  /**
   * Returns the state, the requests that led to it, and those of them that change something. The client also sends requests of its own
   * to describe the cluster. What kafka-init remembers is not among the topics, nor its requests among the others.
   */
  async look(): Promise<{
    topics: Record<string, LiveTopic>;
    acls: string[];
    users: Record<string, LiveUser>;
    /** The quotas by entity and key. */
    quotas: Record<string, Record<string, number>>;
    /** The topics as they were applied last. */
    memory: Record<string, LiveTopic & { readonly pending?: readonly LiveTopic[] }>;
    memoryConfigs: Record<string, string>;
    calls: string[];
    writes: string[];
  }> {
    const {
      topics,
      acls,
      users,
      quotas,
      memory: texts,
      memoryConfigs,
      calls: made,
    } = await this.harness.ask({ do: "look", port: this.port });
    // The client requests configs in no fixed order.
    const calls = made.map((call: string) =>
      call.replace(
        /^(DescribeConfigs )(.*)$/,
        (_, name, asked) => name + asked.split(" ").sort().join(" "),
      ),
    );
    const writes = calls.filter((call: string) => !/^(Describe|List)/.test(call));
    const memory = Object.fromEntries(
      Object.entries<string>(texts).map(([name, text]) => [name, JSON.parse(text)]),
    );
    return { topics, acls, users, quotas, memory, memoryConfigs, calls, writes };
  }
}
