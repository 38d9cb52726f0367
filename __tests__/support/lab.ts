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
  /** The whole output. */
  readonly output: string;
}

/** Prepares a lab without data, which all functions below use. With `sharedClasses`, JVMs start in half the time. */
export async function freshLab(
  environment: Environment = lab,
  { engine, sharedClasses = true }: Pick<LabOptions, "engine" | "sharedClasses"> = {},
): Promise<void> {
  await prepareLab({ fresh: true, yes: false, environment, engine, sharedClasses });
  if (environment.machines) {
    // Containers of an earlier test on the main engine would compete for CPUs.
    const left = docker("ps", "--all", "--quiet", "--filter", "label=groundwork.environment");
    if (left !== "") {
      docker("rm", "--force", ...left.split("\n"));
    }
  }
  process.env.GROUNDWORK_ENV = environment.name;
  process.env.CHECKPOINT_DISABLE = "1";
}

/** The label of every container that a test runs itself. They are removed at the end of the test file, or by the next lab after a killed run. */
export const TRIAL = ["--label", "groundwork.trial"] as const;

/** The nodes of each cluster of the lab. */
export const NODES = {
  opensearch: ["opensearch-1", "opensearch-2", "opensearch-3"],
  kafka: ["kafka-1", "kafka-2", "kafka-3"],
} as const;

/** The filter for objects of the lab's environments. */
export const OF_THE_LAB = ["--filter", "label=groundwork.environment=lab"] as const;

/** Asserts that the lab has every declared data volume and no other. */
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

/** Removes every container that tests ran themselves. Retries, since an engine refuses to remove a container twice at the same time. */
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

/** Runs a command to its end, without a timeout as long as it prints something now and then. */
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

/** Throws with the end of a command's output if it failed or did not run. */
export function expectDone(finished: Finished | undefined): void {
  if (finished?.exitCode !== 0) {
    throw new Error(`exit code ${finished?.exitCode}\n${lastLines(finished?.output ?? "")}`);
  }
}

/** Runs cdktf as a user does. */
export function cdktf(args: readonly string[], env: NodeJS.ProcessEnv = {}): Finished {
  return run(CDKTF, [...args, "--no-color"], env);
}

export function deploy(env: NodeJS.ProcessEnv = {}): Finished {
  return cdktf(["deploy", "*", "--auto-approve", "--skip-provider-lock"], env);
}

/** Deploys the shipped platform with a catalog of catalogs.ts. */
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

/** Presses Ctrl-C in a command after it printed a text. */
export function interrupt(
  command: string,
  args: readonly string[],
  once: RegExp,
  cwd = ROOT,
): Promise<Finished> {
  return onceItSays(once, (_, group) => process.kill(-group, "SIGINT"), command, args, cwd);
}

/** Kills a command and its child processes after it printed a text and `isTime` has returned. Returns whether it still ran. */
export async function killOnceItSays(
  text: RegExp,
  isTime: () => unknown,
  command: string,
  args: readonly string[],
  cwd = ROOT,
): Promise<boolean> {
  let killed = false;
  const kill = async (_: RegExpExecArray, group: number) => {
    await isTime();
    try {
      process.kill(-group, "SIGKILL");
      killed = true;
    } catch (error) {
      expect(error).toMatchObject({ code: "ESRCH" });
    }
  };
  await onceItSays(text, kill, command, args, cwd);
  return killed;
}

/** Runs a command and calls a function after the command printed a text. */
export async function onceItSays(
  text: RegExp,
  work: (found: RegExpExecArray, processGroup: number) => unknown,
  command: string,
  args: readonly string[],
  cwd = ROOT,
): Promise<Finished> {
  // A new process group, since a terminal signals the whole group.
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
        // Awaited below.
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

/** Passes on the PATH of this process, which has the docker command of the lab's engine. Child processes do not inherit it. */
function withClient() {
  return { encoding: "utf8", maxBuffer: 64 * 1024 * 1024, env: process.env } as const;
}

/** Sends a request to a node of OpenSearch. */
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

/** Runs a tool of the Kafka CLI in a broker's container. */
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

/** Returns the partitions, replication factor and configs of a topic in the cluster. */
export function topic(name: string) {
  const [, partitions, replicationFactor, configs] =
    /PartitionCount: (\d+)\tReplicationFactor: (\d+)\tConfigs: ?(\S*)/.exec(
      kafka("kafka-topics", ["--describe", "--topic", name]),
    ) ?? [];
  return { partitions: Number(partitions), replicationFactor: Number(replicationFactor), configs };
}

/** Returns the number of records in a topic. */
export function records(name: string): number {
  return kafka("kafka-get-offsets", ["--topic", name])
    .trim()
    .split("\n")
    .reduce((sum, line) => sum + Number(line.split(":")[2]), 0);
}

/** Runs a finished sidecar again. Returns its exit code and its log of this run. */
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

/** Returns the drift in a sidecar's log as [resource, field, declared, actual]. */
export function driftOf(log: readonly Json[]) {
  return log
    .filter(({ event }) => event === "drift")
    .map(({ resource, field, declared, actual }) => [resource, field, declared, actual]);
}

/** Returns every container of the synthesized stacks. */
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
