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

/** On the clusters that the last deploy left. */
export async function benchSidecars(): Promise<Figure[]> {
  // A deleted topic's files are there for a minute, and their removal would fall into the next round.
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
 * `kafka-init` over so many topics, new and there, against a program that does the one batched call and no more, in a container of
 * the same kind.
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
        throw new CommandError(`kafka-init failed over ${count} topics: ${JSON.stringify(exit)}`);
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
      `kafka-init over ${count} existing topics / ${call}`,
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

/** What a sidecar's program is measured against: another one in its place. */
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

/** So that every round begins with the same cluster. */
async function deleteBenchTopics(): Promise<void> {
  await settle();
  await callKafka("kafka-topics.sh", ["--delete", "--topic", "bench-.*"]);
  await settle();
}

/** Brokers go on making or removing a topic's files when a call has returned. */
async function settle(): Promise<void> {
  const look = ["--describe", "--under-replicated-partitions"];
  // Of one that goes away meanwhile the tool says that it is unknown.
  await poll(
    () => callKafka("kafka-topics.sh", look, /UnknownTopicOrPartition/),
    (listed) => listed === "",
    { intervalMs: 1000, patienceMs: Number.POSITIVE_INFINITY },
  );
  await setTimeout(5000);
}

/** What a tool of the Kafka CLI prints. Fails as it does, but for what is expected. */
async function callKafka(tool: string, args: string[], expected?: RegExp): Promise<string> {
  const { exitCode, output } = await platform.kafka.run("kafka-1", tool, args);
  if (exitCode !== 0 && !expected?.test(output)) {
    throw new CommandError(`${tool} ${args.join(" ")} failed: ${output}`);
  }
  return output;
}
