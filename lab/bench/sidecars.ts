import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { KAFKA_IMAGE, resolveTopic } from "../../constructs";
import { renderTopics, TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { rerunSidecar } from "../../operations/checks/sidecars";
import { Platform } from "../../operations/platform/platform";
import type { ContainerResource } from "../../operations/synthesis/container";
import { PROJECT_ROOT } from "../../operations/synthesis/project";
import { poll } from "../../operations/terminal/poll";
import { CommandError } from "../../operations/terminal/terminal";
import { lab } from "../environments";
import { synthesizedContainers } from "./deploy";
import { bound, type Figure, ROUNDS, ratio, time } from "./figure";
import { runSidecar } from "./sidecar-run";

const platform = new Platform(lab);

/** Measures the sidecars on the clusters that the last deploy left. */
export async function benchSidecars(): Promise<Figure[]> {
  // By default, Kafka removes the files of a deleted topic after a minute, which would disturb the next round.
  await callKafka("kafka-configs.sh", [
    ...["--alter", "--entity-type", "brokers", "--entity-default"],
    ...["--add-config", "log.segment.delete.delay.ms=1000"],
  ]);
  const [hundred, thousand] = [await benchTopics(100), await benchTopics(1000)];
  const osInit = await time(async () => {
    const { exitCode, reason } = await rerunSidecar(platform, "os-init");
    if (exitCode !== 0) {
      throw new CommandError(`os-init failed: ${reason}`);
    }
  });
  return [
    hundred.created,
    thousand.created,
    thousand.there,
    bound("os-init on a ready cluster, container start included", [osInit], 1.5),
    thousand.memory,
  ];
}

/**
 * Measures `kafka-init` with new and with existing topics, against a program that makes only the one batched call, in a container
 * with the same settings.
 */
async function benchTopics(count: number): Promise<Record<"created" | "there" | "memory", Figure>> {
  const init = (await synthesizedContainers()).find(
    ({ body }) => body.name === "kafka-init",
  ) as ContainerResource;
  const create: number[] = [];
  const createFloor: number[] = [];
  const describe: number[] = [];
  const describeFloor: number[] = [];
  const peaks: number[] = [];
  const run = async (topics: string, expected: object, replaced = {}) => {
    const { exit, peakMiB } = await runSidecar(init, KAFKA_IMAGE, {
      [TOPICS_FILE]: topics,
      ...replaced,
    });
    for (const [field, value] of Object.entries({ exit_code: 0, ...expected })) {
      if (exit[field as keyof typeof exit] !== value) {
        throw new CommandError(`kafka-init failed with ${count} topics: ${JSON.stringify(exit)}`);
      }
    }
    return { seconds: exit.duration_ms / 1000, peakMiB };
  };
  const [creating, describing] = [buildFloor("create"), buildFloor("describe")];
  for (let round = 0; round < ROUNDS; round++) {
    const [own, other] = ["own", "floor"].map((name) =>
      renderTopics(
        Array.from({ length: count }, (_, i) =>
          resolveTopic({ name: `bench-${count}-${name}-${round}-${i}`, partitions: 1 }, 3),
        ),
      ),
    );
    createFloor.push((await run(other, {}, creating)).seconds);
    await deleteBenchTopics();
    const fresh = await run(own, { created: count });
    create.push(fresh.seconds);
    await settle();
    describeFloor.push((await run(own, {}, describing)).seconds);
    const again = await run(own, { unchanged: count });
    describe.push(again.seconds);
    peaks.push(fresh.peakMiB, again.peakMiB);
    await deleteBenchTopics();
  }
  const peakMiB = Math.max(...peaks);
  const limitMiB = init.body.memory;
  const call = "one batched AdminClient call";
  return {
    created: ratio(`kafka-init creates ${count} topics / ${call}`, create, createFloor, 1.5),
    there: ratio(
      `kafka-init with ${count} existing topics / ${call}`,
      describe,
      describeFloor,
      1.5,
    ),
    memory: {
      name: `peak memory of kafka-init with ${count} topics`,
      measured: `${peakMiB.toFixed(0)} MiB`,
      target: `below ${limitMiB} MiB`,
      met: peakMiB > 0 && peakMiB < limitMiB,
    },
  };
}

/** Builds the program that `kafka-init` is compared with. Returns it under the path of kafka-init's jar. */
function buildFloor(call: "create" | "describe"): Record<string, Buffer> {
  const directory = mkdtempSync(join(tmpdir(), "groundwork-floor-"));
  const program = join(PROJECT_ROOT, "constructs", "kafka", "kafka-init");
  try {
    const jar = join(directory, "floor.jar");
    execFileSync(process.execPath, [
      join(program, "build.mjs"),
      ...["--sources", join(PROJECT_ROOT, "lab", "bench", call), "--source-path", program],
      ...["--jar", jar],
    ]);
    return { "/groundwork/kafka-init.jar": readFileSync(jar) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Deletes the benchmark's topics, so that every round starts with the same cluster. */
async function deleteBenchTopics(): Promise<void> {
  await settle();
  await callKafka("kafka-topics.sh", ["--delete", "--topic", "bench-.*"]);
  await settle();
}

/** Waits until brokers have created or removed the files of topics, which they do after the call returns. */
async function settle(): Promise<void> {
  const look = ["--describe", "--under-replicated-partitions"];
  // The tool fails with this error if a topic disappears while it runs.
  await poll(
    () => callKafka("kafka-topics.sh", look, /UnknownTopicOrPartition/),
    (listed) => listed === "",
    { intervalMs: 1000, patienceMs: Number.POSITIVE_INFINITY },
  );
  await setTimeout(5000);
}

/** Returns the output of a tool of the Kafka CLI. Throws if it fails, unless its output matches `expected`. */
async function callKafka(tool: string, args: string[], expected?: RegExp): Promise<string> {
  const { exitCode, output } = await platform.kafka.run("kafka-1", tool, args);
  if (exitCode !== 0 && !expected?.test(output)) {
    throw new CommandError(`${tool} ${args.join(" ")} failed: ${output}`);
  }
  return output;
}
