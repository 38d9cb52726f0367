import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
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
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { promisify } from "node:util";
import { ROOT } from "./root";

const SOURCES = join(__dirname, "kafka");
const PROGRAM = join(ROOT, "constructs", "kafka", "kafka-init");
const CACHE = join(ROOT, "node_modules", ".cache", "kafka-init");
export const JAR = `${PROGRAM}.jar`;

/** What happens to one request instead of its answer, or to the answer. */
export interface KafkaFault {
  /** Name of the request in Kafka's protocol. */
  readonly on: string;
  /** Kafka's name of the error that the answer has. */
  readonly error?: string;
  /** @default - Kafka's text for the error */
  readonly message?: string;
  /** The topic, or the user, that the error is about. @default - all */
  readonly topic?: string;
  readonly disconnect?: boolean;
  /** Half of the answer, and then the end of the connection. */
  readonly cut?: boolean;
  /** Nobody listens for so long. */
  readonly refuseMs?: number;
  readonly delayMs?: number;
  /** Another client creates these topics first. */
  readonly createFirst?: Readonly<Record<string, LiveTopic>>;
  /** The answer to a create does not say what is in effect, as to someone without DescribeConfigs. */
  readonly hideConfigs?: boolean;
}

export interface LiveTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** What Kafka keeps of a user's password; bytes in base64. */
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

/** kafka-init.jar, built again from what it is made of when that has changed. */
export async function buildAgain(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of readdirSync(PROGRAM).sort()) {
    hash.update(file).update(readFileSync(join(PROGRAM, file)));
  }
  const jar = join(CACHE, `again-${hash.digest("hex").slice(0, 16)}.jar`);
  if (!existsSync(jar)) {
    mkdirSync(CACHE, { recursive: true });
    await buildJar("--jar", `${jar}.${process.pid}`);
    renameSync(`${jar}.${process.pid}`, jar);
  }
  return jar;
}

/** The libraries and the jar of the tests, built when something of it has changed. */
async function prepare(): Promise<{ libraries: string; jar: string }> {
  const hash = createHash("sha256");
  const sources = readdirSync(SOURCES).map((file) => join(SOURCES, file));
  for (const file of [...sources, JAR, join(PROGRAM, "pom.xml")]) {
    hash.update(readFileSync(file));
  }
  const folder = join(CACHE, `tests-${hash.digest("hex").slice(0, 16)}`);
  const jar = join(folder, "tests.jar");
  const note = join(folder, "libraries");
  if (!existsSync(note)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(note, await buildJar("--sources", SOURCES, "--class-path", JAR, "--jar", jar));
  }
  return { libraries: readFileSync(note, "utf8"), jar };
}

/** One JVM that has fake clusters and runs kafka-init in them. */
export class KafkaHarness {
  static async start(): Promise<KafkaHarness> {
    const { libraries, jar } = await prepare();
    return new KafkaHarness(libraries, jar);
  }

  private readonly folder = mkdtempSync(join(tmpdir(), "fake-kafka-"));
  private readonly runs = join(this.folder, "runs");
  private readonly hosts = join(this.folder, "hosts");
  private readonly jvm: ChildProcess;
  private readonly answers: Interface;
  private readonly waiting: ((answer: string) => void)[] = [];

  /** Stands in for `java` where the start of a JVM is not what is tested. */
  readonly standIn: string;

  private constructor(
    readonly libraries: string,
    jar: string,
  ) {
    execFileSync("mkfifo", [this.runs]);
    writeFileSync(this.hosts, "");
    this.standIn = `#!/bin/sh
# Hands the run over to a JVM that is there already, with the variables of this process.
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

  async cluster(
    topics: Readonly<Record<string, LiveTopic>> = {},
    ...faults: KafkaFault[]
  ): Promise<FakeKafka> {
    const { port } = await this.ask({ do: "start", topics });
    await this.ask({ do: "inject", port, faults });
    return new FakeKafka(this, port);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.jvm.on("exit", resolve));
    this.jvm.stdin?.end();
    await ended;
    rmSync(this.folder, { recursive: true });
  }
}

/** A cluster of three brokers, in Kafka's own protocol. */
export class FakeKafka {
  constructor(
    private readonly harness: KafkaHarness,
    readonly port: number,
  ) {}

  /** How many of three brokers are registered and unfenced. */
  setBrokers(count: number): Promise<void> {
    return this.harness.ask({ do: "brokers", port: this.port, count });
  }

  /** Adds ACLs, each as "User:orders ALLOW WRITE TOPIC LITERAL orders". */
  addAcls(...acls: string[]): Promise<void> {
    return this.harness.ask({ do: "acls", port: this.port, acls });
  }

  /** Adds a user with a password that nobody knows. */
  addUser(name: string): Promise<void> {
    return this.harness.ask({ do: "user", port: this.port, name });
  }

  /** Nobody listens any more. */
  refuse(): Promise<void> {
    return this.harness.ask({ do: "refuse", port: this.port });
  }

  listen(): Promise<void> {
    return this.harness.ask({ do: "listen", port: this.port });
  }

  /**
   * What there is, the requests that were made for it, and those of them that change something. The client describes the cluster on
   * its own account too.
   */
  async look(): Promise<{
    topics: Record<string, LiveTopic>;
    acls: string[];
    users: Record<string, LiveUser>;
    calls: string[];
    writes: string[];
  }> {
    const {
      topics,
      acls,
      users,
      calls: made,
    } = await this.harness.ask({ do: "look", port: this.port });
    // The client asks for configs in no order.
    const calls = made.map((call: string) =>
      call.replace(
        /^(DescribeConfigs )(.*)$/,
        (_, name, asked) => name + asked.split(" ").sort().join(" "),
      ),
    );
    const writes = calls.filter((call: string) => !call.startsWith("Describe"));
    return { topics, acls, users, calls, writes };
  }
}
