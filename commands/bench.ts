// npm run bench: measures in the lab what the project promises, each figure a ratio or a bound within one run.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  DOCKER_CLI_IMAGE,
  KAFKA_IMAGE,
  KAFKA_PORTS,
  OPENSEARCH_IMAGE,
  PROMETHEUS_IMAGE,
} from "../constructs";
import { lab } from "../environments/lab";
import { rerunSidecar } from "./support/acceptance";
import {
  cdktf,
  PROJECT_ROOT,
  type SynthesizedResource,
  synthesizedResources,
} from "./support/cdktf";
import { renderCompose } from "./support/compose";
import { destroyPlatform } from "./support/destroy";
import { docker } from "./support/docker";
import { prepareLab, runLabScript } from "./support/lab";
import { runSidecar } from "./support/sidecar-run";
import { CommandError, parseOptions, runCommand, table } from "./support/terminal";

const ROUNDS = 3;
const TOPICS = 100;
const LOG_FILE = join(PROJECT_ROOT, ".state", "bench.log");

interface Figure {
  readonly name: string;
  readonly measured: string;
  readonly target: string;
  readonly met: boolean;
}

runCommand(async () => {
  const { yes } = parseOptions("yes");
  await prepareLab({ fresh: true, yes });
  await runLabScript("compose.sh");
  const figures = [
    ...(await benchSynth()),
    ...(await benchCommands()),
    ...(await benchDeploy()),
    ...(await benchSidecars()),
  ];
  await destroyPlatform(lab, { volumes: true });
  const rows = figures.map(({ name, measured, target, met }) => [
    name,
    measured,
    target,
    met ? "yes" : "NO",
  ]);
  console.log(`\n${table([["what", "measured", "target", "met"], ...rows])}`);
  const missed = figures.filter(({ met }) => !met);
  if (missed.length > 0) {
    throw new CommandError(`${missed.length} of ${figures.length} targets are not met`);
  }
});

/** Seconds that something takes. */
async function time(work: () => Promise<unknown> | unknown): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function runCdktf(...args: string[]): Promise<void> {
  const exitCode = await cdktf(args, { environment: lab.name, logFile: LOG_FILE });
  if (exitCode !== 0) {
    throw new CommandError(`cdktf ${args.join(" ")} failed, its output is in ${LOG_FILE}`);
  }
}

async function benchSynth(): Promise<Figure[]> {
  const own: number[] = [];
  const tsNode: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await time(() => runCdktf("synth")));
    tsNode.push(await time(() => runCdktf("synth", "--app", "npx ts-node main.ts")));
  }
  return [ratio("cdktf synth / the same under ts-node", median(own), median(tsNode), 0.6)];
}

/** The commands that one waits for while one works. */
async function benchCommands(): Promise<Figure[]> {
  const preview: number[] = [];
  const synths: number[] = [];
  const doctor: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    preview.push(await time(() => runNpm("preview")));
    synths.push(
      await time(async () => {
        await runCdktf("synth");
        await runCdktf("synth");
      }),
    );
    doctor.push(await time(() => runNpm("doctor")));
  }
  return [
    ratio("preview of one environment / two plain synths", median(preview), median(synths), 1.5),
    {
      name: "doctor",
      measured: `${median(doctor).toFixed(1)} s`,
      target: "under 2 s",
      met: median(doctor) < 2,
    },
  ];
}

/** A preview's exit code says what it found, so it is no failure. */
function runNpm(script: string): void {
  const { status, stderr } = spawnSync("npm", ["run", "--silent", script], {
    cwd: PROJECT_ROOT,
    encoding: "utf8",
    env: { ...process.env, GROUNDWORK_ENV: lab.name },
  });
  if (status === null || status === 1) {
    throw new CommandError(`npm run ${script} failed: ${stderr}`);
  }
}

function ratio(name: string, own: number, other: number, atMost: number): Figure {
  return {
    name,
    measured: `${(own / other).toFixed(2)} (${own.toFixed(1)} s / ${other.toFixed(1)} s)`,
    target: `at most ${atMost}`,
    met: own / other <= atMost,
  };
}

/** From nothing to finished sidecars, both ways in turn, each time without data. */
async function benchDeploy(): Promise<Figure[]> {
  await runCdktf("synth");
  const containers = synthesizedResources("docker_container");
  const directory = mkdtempSync(join(tmpdir(), "groundwork-compose-"));
  const images = new Map([
    ["kafka", KAFKA_IMAGE],
    ["opensearch", OPENSEARCH_IMAGE],
    ["prometheus", PROMETHEUS_IMAGE],
    ["exit", DOCKER_CLI_IMAGE],
  ]);
  const { yaml, files } = renderCompose(containers, images, directory);
  for (const [path, content] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  const file = join(directory, "docker-compose.json");
  writeFileSync(file, yaml);
  const compose = (...args: string[]) =>
    execFileSync("docker-compose", ["--file", file, "--project-name", "bench", ...args], {
      stdio: "ignore",
    });
  const own: number[] = [];
  const other: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      other.push(
        await time(async () => {
          compose("up", "--detach");
          await docker("wait", "os-init", "kafka-init");
        }),
      );
      await assertFinished();
      compose("down", "--volumes");
      own.push(
        await time(() =>
          runCdktf("deploy", "*", "--auto-approve", "--skip-provider-lock", "--no-color"),
        ),
      );
      await assertFinished();
      if (round < ROUNDS - 1) {
        await destroyPlatform(lab, { volumes: true });
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return [ratio("deploy to ready / docker compose up", median(own), median(other), 1.15)];
}

async function assertFinished(): Promise<void> {
  const codes = await docker("inspect", "--format", "{{.State.ExitCode}}", "os-init", "kafka-init");
  if (codes !== "0\n0") {
    throw new CommandError(
      `a sidecar failed in the bench, exit codes: ${codes.replace("\n", ", ")}`,
    );
  }
}

/** On the clusters that the last deploy left. */
async function benchSidecars(): Promise<Figure[]> {
  const init = synthesizedResources("docker_container").find(
    ({ body }) => body.name === "kafka-init",
  ) as SynthesizedResource;
  const file = "/groundwork/topics";
  const topics = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${prefix}-${i} 1 3 fail min.insync.replicas=2\n`).join(
      "",
    );
  const serial = await time(() => createOneByOne(TOPICS / 4));
  const fresh = await runSidecar(init, KAFKA_IMAGE, { file, content: topics("bench", TOPICS) });
  const again = await runSidecar(init, KAFKA_IMAGE, { file, content: topics("bench", TOPICS) });
  if (fresh.exit.created !== TOPICS || again.exit.unchanged !== TOPICS) {
    throw new CommandError(
      `kafka-init did not provision ${TOPICS} topics: ${JSON.stringify(fresh)}`,
    );
  }
  const osInit = await time(() => rerunSidecar("os-init"));
  const freshSeconds = fresh.exit.duration_ms / 1000;
  const speedup = (serial * 4) / freshSeconds;
  const againSeconds = again.exit.duration_ms / 1000;
  const peakMiB = Math.max(fresh.peakMiB, again.peakMiB);
  const limitMiB = init.body.memory as number;
  return [
    {
      name: `kafka-init creates ${TOPICS} topics / one CLI call after another`,
      measured: `${speedup.toFixed(1)} times as fast (${freshSeconds.toFixed(1)} s)`,
      target: "at least 2.4 times",
      met: speedup >= 2.4,
    },
    {
      name: `kafka-init over ${TOPICS} existing topics`,
      measured: `${againSeconds.toFixed(1)} s`,
      target: "at most 3 s",
      met: againSeconds <= 3,
    },
    {
      name: "os-init on a ready cluster, container start included",
      measured: `${osInit.toFixed(1)} s`,
      target: "under 1.5 s",
      met: osInit < 1.5,
    },
    {
      name: `peak memory of kafka-init with ${TOPICS} topics`,
      measured: `${peakMiB.toFixed(0)} MiB`,
      target: `below ${limitMiB} MiB`,
      met: peakMiB > 0 && peakMiB < limitMiB,
    },
  ];
}

/** As a job of plain CLI calls does it, in a container with the CLI's own defaults and no limits. */
async function createOneByOne(count: number): Promise<void> {
  const create = `for i in $(seq ${count}); do /opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka-1.${lab.networks.infra.name}:${KAFKA_PORTS.INTERNAL} --create --topic serial-$i --partitions 1 --replication-factor 3 --config min.insync.replicas=2 || exit; done`;
  await docker(
    ...["run", "--rm", "--network", lab.networks.infra.name, "--entrypoint", "sh", KAFKA_IMAGE],
    ...["-c", create],
  );
}
