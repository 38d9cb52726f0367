import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, createWriteStream, openSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { KAFKA_CLIENT_CONFIG } from "../../constructs";
import type { Environment } from "../../environments";
import { lab, labSecured } from "../../lab/environments";
import { type LabOptions, prepareLab } from "../../lab/prepare";
import { eventually } from "./eventually";
import { lastLines, newLog } from "./logs";
import type { Json } from "./platform";
import { ROOT } from "./root";

const CDKTF = join(ROOT, "node_modules", ".bin", "cdktf");

export interface Finished {
  readonly exitCode: number;
  /** Everything that it printed. */
  readonly output: string;
}

/** A lab without data; everything below uses it. Its JVMs start in half the time, unless they are started too seldom for that. */
export async function freshLab(
  environment: Environment = lab,
  { engine, sharedClasses = true }: Pick<LabOptions, "engine" | "sharedClasses"> = {},
): Promise<void> {
  await prepareLab({ fresh: true, yes: false, environment, engine, sharedClasses });
  if (environment.machines) {
    // What an earlier test left on the engine beside them would take their CPUs.
    const left = docker("ps", "--all", "--quiet", "--filter", "label=groundwork.environment");
    if (left !== "") {
      docker("rm", "--force", ...left.split("\n"));
    }
  }
  process.env.GROUNDWORK_ENV = environment.name;
  process.env.CHECKPOINT_DISABLE = "1";
}

/** On every container that a test runs of its own: all of them go with the test file, or with the next lab after a run that was killed. */
export const TRIAL = ["--label", "groundwork.trial"] as const;

/** The nodes of each cluster of the lab. */
export const NODES = {
  opensearch: ["opensearch-1", "opensearch-2", "opensearch-3"],
  kafka: ["kafka-1", "kafka-2", "kafka-3"],
} as const;

/** Limits a listing to what an environment of the lab has made. */
export const OF_THE_LAB = ["--filter", "label=groundwork.environment=lab"] as const;

/** The lab has every data volume that it declares, and no other. */
export function expectEveryVolume(): void {
  expect(
    docker("volume", "ls", "--quiet", ...OF_THE_LAB)
      .split("\n")
      .sort(),
  ).toEqual([
    ...["alloy-data", "grafana-data", "kafka-1-data", "kafka-2-data", "kafka-3-data"],
    ...["loki-data", "opensearch-1-data", "opensearch-2-data", "opensearch-3-data"],
    "prometheus-data",
  ]);
}

/** Removes every container that tests have run of their own; the engine removes some itself, and refuses to do it twice. */
export function removeTrials(): Promise<void> {
  return eventually(() => {
    const left = docker("ps", "--all", "--quiet", "--filter", "label=groundwork.trial");
    if (left === "") {
      return [];
    }
    docker("rm", "--force", "--volumes", ...left.split("\n"));
    return left.split("\n");
  });
}

/** Runs a command to its end, for which it has all the time that it takes while it prints something now and then. */
export function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = ROOT,
): Finished {
  const log = newLog(basename(command), ...args);
  const file = openSync(log, "w");
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", file, file],
    env: { ...process.env, ...env },
  });
  closeSync(file);
  if (error) {
    throw error;
  }
  return { exitCode: status ?? -1, output: readFileSync(log, "utf8") };
}

/** Fails with the end of what a command said, unless it did what it was to do. */
export function expectDone(finished: Finished | undefined): void {
  if (finished?.exitCode !== 0) {
    throw new Error(`exit code ${finished?.exitCode}\n${lastLines(finished?.output ?? "")}`);
  }
}

/** The real cdktf, as a user calls it. */
export function cdktf(args: readonly string[], env: NodeJS.ProcessEnv = {}): Finished {
  return run(CDKTF, [...args, "--no-color"], env);
}

export function deploy(env: NodeJS.ProcessEnv = {}): Finished {
  return cdktf(["deploy", "*", "--auto-approve", "--skip-provider-lock"], env);
}

/** Deploys the shipped platform with another catalog of catalogs.ts. */
export function deployCatalog(name: string): Finished {
  return cdktf(
    [
      ...["deploy", "*", "--auto-approve", "--skip-provider-lock"],
      ...["--app", "node -r ./tools/register.js __tests__/support/catalogs.ts"],
    ],
    { GROUNDWORK_E2E_CATALOG: name },
  );
}

export function npm(
  script: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Finished {
  return run("npm", ["run", "--silent", script, "--", ...args], env);
}

/** Presses Ctrl-C in a command once it has printed something. */
export function interrupt(
  command: string,
  args: readonly string[],
  once: RegExp,
  cwd = ROOT,
): Promise<Finished> {
  return onceItSays(once, (_, group) => process.kill(-group, "SIGINT"), command, args, cwd);
}

/** Runs a command, and does something meanwhile, once it has printed something. */
export async function onceItSays(
  text: RegExp,
  work: (found: RegExpExecArray, processGroup: number) => unknown,
  command: string,
  args: readonly string[],
  cwd = ROOT,
): Promise<Finished> {
  // A process group of its own is what a terminal sends a signal to.
  const child = spawn(command, args, {
    cwd,
    detached: true,
    env: process.env,
  });
  const log = createWriteStream(newLog(basename(command), ...args));
  let output = "";
  let working: Promise<unknown> | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      log.write(chunk);
      const found = working ? null : text.exec(output);
      if (found) {
        working = Promise.resolve(work(found, child.pid as number));
        // It is waited for below.
        working.catch(() => undefined);
      }
    });
  }
  const exitCode = await new Promise<number>((resolve) => {
    child.on("close", (code) => resolve(code ?? -1));
  });
  await working;
  return { exitCode, output };
}

export function docker(...args: string[]): string {
  return execFileSync("docker", args, withClient()).trim();
}

/** The docker command of the lab's engine is on the PATH of this test's process, which child processes do not have by themselves. */
function withClient() {
  return { encoding: "utf8", maxBuffer: 64 * 1024 * 1024, env: process.env } as const;
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
    { ...withClient(), input: typeof body === "string" ? body : JSON.stringify(body ?? "") },
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
      ...(process.env.GROUNDWORK_ENV === labSecured.name
        ? ["--bootstrap-server", "kafka-1.infra-net:19092", "--command-config", KAFKA_CLIENT_CONFIG]
        : ["--bootstrap-server", "kafka-1.infra_net:19092"]),
      ...args,
    ],
    { ...withClient(), input, stdio: ["pipe", "pipe", "ignore"] },
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

/** What a sidecar's log says of drift, as [resource, field, declared, actual]. */
export function driftOf(log: readonly Json[]) {
  return log
    .filter(({ event }) => event === "drift")
    .map(({ resource, field, declared, actual }) => [resource, field, declared, actual]);
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
