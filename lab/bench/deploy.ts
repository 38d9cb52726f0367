import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  DOCKER_CLI_IMAGE,
  KAFKA_IMAGE,
  OPENSEARCH_IMAGE,
  PROMETHEUS_IMAGE,
} from "../../constructs";
import type { Environment } from "../../environments";
import { destroyPlatform } from "../../operations/deploy/destroy";
import { currentEngine } from "../../operations/engine/context";
import { docker, engineVariables } from "../../operations/engine/docker";
import { type ContainerResource, isContainer } from "../../operations/synthesis/container";
import { synthesize } from "../../operations/synthesis/synthesize";
import { CommandError } from "../../operations/terminal/terminal";
import { withEngine } from "../../stacks/placement";
import { lab } from "../environments";
import { renderCompose } from "./compose";
import { type Figure, ROUNDS, ratio, time } from "./figure";
import { type NpmOptions, runNpm } from "./run";

/** Measures a first deploy until the sidecars finish, alternating between docker compose and `npm run up`, always without data. */
export async function benchDeploy(): Promise<Figure[]> {
  const environment = await labHere();
  const containers = await synthesizedContainers();
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
      env: { ...process.env, ...engineVariables(environment.engine) },
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
      own.push(await timeUp());
      await assertFinished();
      if (round < ROUNDS - 1) {
        await destroyPlatform(environment, { volumes: true });
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return [ratio("first deploy to ready / docker compose up", own, other, 1)];
}

/** Returns the seconds that `npm run up` takes until everything is deployed, without the checks that follow. */
export async function timeUp(options: NpmOptions = {}): Promise<number> {
  const started = performance.now();
  let deployed = started;
  await runNpm("up", {
    ...options,
    onLine: (line) => {
      if (line.startsWith("checking every guarantee")) {
        deployed = performance.now();
      }
    },
  });
  return (deployed - started) / 1000;
}

/** Returns the lab's environment with the engine of the current Docker context. */
async function labHere(): Promise<Environment> {
  return withEngine(lab, await currentEngine());
}

/** Returns every container of the lab. */
export async function synthesizedContainers(): Promise<ContainerResource[]> {
  return (await synthesize(await labHere()))
    .flatMap(({ resources }) => resources)
    .filter(isContainer);
}

async function assertFinished(): Promise<void> {
  const codes = await docker("inspect", "--format", "{{.State.ExitCode}}", "os-init", "kafka-init");
  if (codes !== "0\n0") {
    throw new CommandError(
      `a sidecar failed in the benchmark: exit codes of os-init and kafka-init: ${codes.replace("\n", ", ")}`,
    );
  }
}
