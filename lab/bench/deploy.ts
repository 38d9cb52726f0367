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
import { laptop } from "../../environments/laptop";
import { destroyPlatform } from "../../operations/deploy/destroy";
import { currentEngine } from "../../operations/engine/context";
import { docker, engineVariables } from "../../operations/engine/docker";
import {
  type ContainerResource,
  containersOf,
  isContainer,
} from "../../operations/synthesis/container";
import { declaredCatalog } from "../../operations/synthesis/environment";
import { synthesize } from "../../operations/synthesis/synthesize";
import { CommandError } from "../../operations/terminal/terminal";
import { withEngine } from "../../stacks/placement";
import { lab } from "../environments";
import { runLabScript } from "../scripts";
import {
  COMPOSE_EXAMPLE,
  compareWithCompose,
  comparisonTable,
  readComposeExample,
} from "./comparison";
import { renderCompose } from "./compose";
import { type Figure, ROUNDS, ratio, time } from "./figure";
import { type NpmOptions, runNpm } from "./run";

const SIDECARS = ["os-init", "kafka-init"];

/**
 * Prints what examples/compose lacks. Measures a first deploy until the sidecars finish, always without data: with docker compose the same containers, then those of
 * examples/compose, then `npm run up`, in turn.
 */
export async function benchCompose(): Promise<Figure[]> {
  await runLabScript("compose.sh");
  const stacks = await synthesize(laptop);
  const declared = containersOf(stacks.flatMap(({ resources }) => resources));
  console.log(`\n${comparisonTable(compareWithCompose(declared, declaredCatalog()))}`);
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
  const file = join(directory, "same-containers.json");
  writeFileSync(file, yaml);
  const example = join(directory, "example.json");
  writeFileSync(example, renderExample());
  const compose = (path: string, ...args: string[]) =>
    execFileSync(
      "docker-compose",
      // Mounts of the example are relative to its folder.
      [
        ...["--file", path, "--project-directory", COMPOSE_EXAMPLE, "--project-name", "bench"],
        ...args,
      ],
      {
        env: { ...process.env, ...engineVariables(environment.engine) },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
  const timeCompose = async (path: string, sidecars: readonly string[]) => {
    const seconds = await time(async () => {
      compose(path, "up", "--detach");
      await docker("wait", ...sidecars);
    });
    await assertFinished(sidecars);
    compose(path, "down", "--volumes");
    return seconds;
  };
  const own: number[] = [];
  const same: number[] = [];
  const newcomer: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      same.push(await timeCompose(file, SIDECARS));
      newcomer.push(
        await timeCompose(
          example,
          SIDECARS.map((name) => `bench_${name}_1`),
        ),
      );
      own.push(await timeUp());
      await assertFinished(SIDECARS);
      await destroyPlatform(environment, { volumes: true });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return [
    ratio("first deploy to ready / docker compose up", own, same, 1),
    ratio("first deploy to ready / docker compose up in examples/compose", own, newcomer, 1),
  ];
}

/** Renders examples/compose with what the lab has: no images of some services, and an engine that may refuse to raise limits. */
function renderExample(): string {
  const { services, ...others } = readComposeExample();
  const labels = { "groundwork.environment": lab.name };
  const here = Object.entries(services).filter(
    ([name]) => !lab.excludedServices?.some((excluded) => excluded === name),
  );
  return JSON.stringify({
    ...others,
    services: Object.fromEntries(
      here.map(([name, { ulimits, environment, ...service }]) => [
        name,
        {
          ...service,
          // A node that locks its memory does not start without the limit.
          environment: { ...environment, ...(ulimits && { "bootstrap.memory_lock": "false" }) },
          labels,
        },
      ]),
    ),
    networks: { default: { ...others.networks.default, labels } },
  });
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

async function assertFinished(sidecars: readonly string[]): Promise<void> {
  const codes = await docker("inspect", "--format", "{{.State.ExitCode}}", ...sidecars);
  if (codes !== "0\n0") {
    throw new CommandError(
      `a sidecar failed in the benchmark: exit codes of ${sidecars.join(" and ")}: ${codes.replace("\n", ", ")}`,
    );
  }
}
