import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareLab } from "../../commands/support/lab";
import type { Json } from "./platform";

const ROOT = join(__dirname, "..", "..");
const CDKTF = join(ROOT, "node_modules", ".bin", "cdktf");

export interface Finished {
  readonly exitCode: number;
  /** Everything that it printed. */
  readonly output: string;
}

/** A lab without data; everything below uses it. */
export async function freshLab(): Promise<void> {
  await prepareLab({ fresh: true, yes: false });
  process.env.GROUNDWORK_ENV = "lab";
  process.env.CHECKPOINT_DISABLE = "1";
}

export function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = ROOT,
): Finished {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 280_000,
    killSignal: "SIGKILL",
  });
  if (error) {
    throw error;
  }
  return { exitCode: status ?? -1, output: stdout + stderr };
}

/** The real cdktf, as a user calls it. */
export function cdktf(args: readonly string[], env: NodeJS.ProcessEnv = {}): Finished {
  return run(CDKTF, [...args, "--no-color"], env);
}

export function deploy(env: NodeJS.ProcessEnv = {}): Finished {
  return cdktf(["deploy", "*", "--auto-approve", "--skip-provider-lock"], env);
}

export function npm(
  script: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Finished {
  return run("npm", ["run", "--silent", script, "--", ...args], env);
}

/** A copy of the project, to change, that deploys the same lab. */
export function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "groundwork-copy-"));
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: ROOT });
  const archive = execFileSync("tar", ["--create", "--files-from", "-"], {
    cwd: ROOT,
    input: files,
    maxBuffer: 256 * 1024 * 1024,
  });
  execFileSync("tar", ["--extract"], { cwd: copy, input: archive });
  for (const shared of ["node_modules", ".state"]) {
    symlinkSync(join(ROOT, shared), join(copy, shared));
  }
  return copy;
}

/** Presses Ctrl-C in an npm script once it has printed something. */
export async function interruptNpm(script: string, once: RegExp): Promise<Finished> {
  // A process group of its own is what a terminal sends the signal to.
  const child = spawn("npm", ["run", "--silent", script], {
    cwd: ROOT,
    detached: true,
    env: process.env,
  });
  let output = "";
  let sent = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      if (!sent && once.test(output)) {
        sent = true;
        process.kill(-(child.pid as number), "SIGINT");
      }
    });
  }
  const exitCode = await new Promise<number>((resolve) => {
    child.on("close", (code) => resolve(code ?? -1));
  });
  return { exitCode, output };
}

export function docker(...args: string[]): string {
  return execFileSync("docker", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }).trim();
}

/** Asks a node of OpenSearch. */
export function openSearch(method: string, path: string, body?: unknown): Json {
  const data =
    body === undefined ? [] : ["--header", "Content-Type: application/json", "--data-binary", "@-"];
  const output = execFileSync(
    "docker",
    [
      "exec",
      "--interactive",
      "opensearch-1",
      "curl",
      "--silent",
      "--request",
      method,
      ...data,
      `http://127.0.0.1:9200${path}`,
    ],
    {
      encoding: "utf8",
      input: typeof body === "string" ? body : JSON.stringify(body ?? ""),
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return JSON.parse(output);
}

/** Runs a tool of the Kafka CLI inside a broker's container. */
export function kafka(tool: string, args: readonly string[], input = ""): string {
  return execFileSync(
    "docker",
    [
      ...["exec", "--interactive", "--env", "KAFKA_HEAP_OPTS=-Xmx64m", "kafka-1"],
      `/opt/kafka/bin/${tool}.sh`,
      "--bootstrap-server",
      "kafka-1.infra_net:19092",
      ...args,
    ],
    { encoding: "utf8", input, maxBuffer: 64 * 1024 * 1024, stdio: ["pipe", "pipe", "ignore"] },
  );
}

/** Partitions, replication factor and configs of a topic as the cluster has them. */
export function topic(name: string) {
  const [, partitions, replicationFactor, configs] =
    /PartitionCount: (\d+)\tReplicationFactor: (\d+)\tConfigs: ?(\S*)/.exec(
      kafka("kafka-topics", ["--describe", "--topic", name]),
    ) ?? [];
  return { partitions: Number(partitions), replicationFactor: Number(replicationFactor), configs };
}

/** How many records a topic has. */
export function records(name: string): number {
  return kafka("kafka-get-offsets", ["--topic", name])
    .trim()
    .split("\n")
    .reduce((sum, line) => sum + Number(line.split(":")[2]), 0);
}

/** Runs a finished sidecar again: its exit code and its log of this run. */
export function rerun(sidecar: string): { exitCode: number; log: Json[] } {
  const { exitCode, output } = run("docker", ["start", "--attach", sidecar]);
  return {
    exitCode,
    log: output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  };
}

/** Every container of the synthesized stacks. */
export function synthesizedContainers(): Json[] {
  const stacks = join(ROOT, "cdktf.out", "stacks");
  return readdirSync(stacks)
    .filter((stack) => stack.startsWith("lab-"))
    .flatMap((stack) => {
      const { resource = {} } = JSON.parse(
        readFileSync(join(stacks, stack, "cdk.tf.json"), "utf8"),
      );
      return Object.values(resource.docker_container ?? {});
    });
}
