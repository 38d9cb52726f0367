import { harness, INFRA_EVENTS, run, runIn, start, TOPICS } from "../../../support/kafka-init";
import {
  ALPINE_SHELL,
  exitLine,
  INSTALLED_SHELLS,
  SHELLS,
  workerOf,
} from "../../../support/sidecar";

/** A wait that a signal finds it in. */
const LONG_WAIT = {
  ownJvm: true,
  jitter: "none",
  retry: { initialMs: 600_000, maxMs: 600_000, deadlineSeconds: 1200 },
};

for (const name of Object.keys(SHELLS).filter(
  (shell) => !INSTALLED_SHELLS.some(([installed]) => installed === shell),
)) {
  test.skip(`in ${name}, which is not installed`, () => undefined);
}

describe.each(ALPINE_SHELL)("in a JVM of its own, started by %s, kafka-init", (_, shell) => {
  test.concurrent("creates missing topics with their guarantees", async () => {
    const { result, topics } = await runIn({}, [], { shell, ownJvm: true });
    // On a busy machine the first call of a new JVM may take too long, and is retried.
    const events = result.log.map(({ event }) => event).filter((event) => event !== "retry");
    expect(events).toEqual([...["start", "ready", "created", "created", "exit"]]);
    expect(exitLine(result)).toMatchObject({ level: "info", exit_code: 0, reason: "done" });
    expect(topics["infra-events"]).toEqual(INFRA_EVENTS);
  });

  test.concurrent("remembers what it applied, with the libraries that it has there", async () => {
    const cluster = await harness.cluster();
    const [topic] = TOPICS;
    await run(cluster, { shell, ownJvm: true, topics: [topic] });
    const changed = { ...topic, partitions: 4 };
    const result = await run(cluster, { shell, ownJvm: true, topics: [changed] });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1, drifted: 0 });
    expect((await cluster.look()).topics[topic.name].partitions).toBe(4);
  });

  test.concurrent("writes its last line if it is terminated while it waits", async () => {
    const cluster = await harness.cluster();
    await cluster.refuse();
    const sidecar = start(cluster, { ...LONG_WAIT, shell });
    await sidecar.seen("retry");
    sidecar.process.kill("SIGTERM");
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 143, reason: "terminated" });
  });

  test.concurrent("writes its last line if its JVM is killed", async () => {
    const cluster = await harness.cluster();
    await cluster.refuse();
    const sidecar = start(cluster, { ...LONG_WAIT, shell });
    await sidecar.seen("retry");
    process.kill(workerOf(sidecar), "SIGKILL");
    expect(exitLine(await sidecar.done)).toMatchObject({
      exit_code: 137,
      reason: "killed by signal 9",
    });
  });

  test.concurrent("exits 78 if the image is not Kafka's", async () => {
    const cluster = await harness.cluster();
    const result = await run(cluster, { shell, env: () => ({ KAFKA_LIBS: "/nowhere" }) });
    expect(exitLine(result)).toMatchObject({
      exit_code: 78,
      reason: "kafka-clients is not in /nowhere: use the Kafka image",
    });
  });
});
