import { createInterface } from "node:readline/promises";
import { RetentionPolicy, type Topic } from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import type { Action } from "../../../operations/changes/change";
import {
  confirmDataLoss,
  confirmOnceStarted,
  type NewlyDeclaredIn,
  refuseDataLoss,
} from "../../../operations/deploy/data-loss";
import { LIVE_DATA_LOSS } from "../../../operations/deploy/live-data-loss";
import type { UnmanagedResource } from "../../../operations/deploy/unmanaged";
import type { Run } from "../../../operations/run/run";
import { containersOf } from "../../../operations/synthesis/container";
import { resourcesOf } from "../../../operations/synthesis/resources";
import type { Synthesis } from "../../../operations/synthesis/tree";
import { CommandError } from "../../../operations/terminal/terminal";
import {
  applicationLogs,
  BASE,
  catalog,
  infraEvents,
  report,
  synthesis,
  withTopics,
} from "../../support/previews";

jest.mock("node:readline/promises", () => ({ createInterface: jest.fn() }));
jest.mock("../../../operations/deploy/live-data-loss", () => ({
  LIVE_DATA_LOSS: { kafka: jest.fn(), opensearch: jest.fn() },
}));
// Without patience: a cluster that does not answer at first does not answer in the end.
jest.mock("../../../operations/terminal/poll", () => ({ poll: (look: () => unknown) => look() }));

const LOSS =
  "topic infra-events: retention.ms unset (604800000) -> 3600000: Kafka deletes records older than 3600000 ms";

/** Returns a planned deploy of these topics. Only the stack with kafka-init may be asked for its plan. */
function planned(...topics: Topic[]): Run {
  const stack = (file: string) => ({
    resources: [{ type: "docker_container", body: { name: "one", upload: [{ file }] } }],
  });
  const messaging = { changes: true, stack: stack("/groundwork/topics.json") };
  return {
    platform: { environment: laptop },
    planned: [{ changes: true, stack: stack("/etc/other") }, messaging],
    report: async (plans: unknown[]) => {
      expect(plans).toEqual([messaging]);
      return report(BASE, withTopics(topics));
    },
  } as unknown as Run;
}

const shorter = planned(
  { ...infraEvents, configs: { ...infraEvents.configs, "retention.ms": 3_600_000 } },
  applicationLogs,
);
const removed = planned(infraEvents);

const { isTTY } = process.stdin;
beforeEach(() => {
  for (const losses of Object.values(LIVE_DATA_LOSS)) {
    jest.mocked(losses).mockReset().mockResolvedValue([]);
  }
});
afterEach(() => {
  process.stdin.isTTY = isTTY;
});

/** Answers the question on a terminal, and returns what was asked. */
function answering(answer: string): { readonly asked: string[] } {
  process.stdin.isTTY = true;
  const asked: string[] = [];
  const question = async (text: string) => {
    asked.push(text);
    return answer;
  };
  jest.mocked(createInterface).mockReturnValue({ question, close: jest.fn() } as never);
  return { asked };
}

test("a deploy that deletes records asks on a terminal, and goes on with the environment's name", async () => {
  const { asked } = answering("laptop");
  await confirmDataLoss(shorter);
  expect(asked).toEqual([
    `This deploy deletes stored records of environment "laptop":\n- ${LOSS}\nThey cannot be restored. Type the environment's name to continue: `,
  ]);
});

test("a deploy with a shorter retention of indices asks too", async () => {
  const keptFor = (days: number) =>
    synthesis(laptop, {
      ...catalog,
      retentionPolicies: RetentionPolicy.fromRetention({ "logs-*": { delete: { days } } }),
    });
  const body = { name: "os-init", upload: [{ file: "/groundwork/retention-policies/logs.json" }] };
  const run = {
    platform: { environment: laptop },
    planned: [{ changes: true, stack: { resources: [{ type: "docker_container", body }] } }],
    report: async (plans: unknown[]) => {
      expect(plans).toHaveLength(1);
      return report(keptFor(30), keptFor(10));
    },
  } as unknown as Run;
  await expect(refuseDataLoss(run)).rejects.toThrow(
    "retention policy logs: OpenSearch deletes an index 10d after its creation, formerly 30d after its creation; deploy this change with npm run up -- --allow-data-loss first, or undo it",
  );
});

test("another answer changes nothing", async () => {
  answering("yes");
  await expect(confirmDataLoss(shorter)).rejects.toThrow(
    'the name is "laptop", not "yes": no changes made',
  );
});

test("without a terminal it is refused, with the flag", async () => {
  process.stdin.isTTY = false;
  await expect(confirmDataLoss(shorter)).rejects.toThrow(
    `no changes made: this deploy deletes stored records, and standard input is not a terminal to ask: undo the change, or run npm run up -- --allow-data-loss\n- ${LOSS}`,
  );
});

test("other changes are not asked about, even destructive ones", async () => {
  process.stdin.isTTY = false;
  await confirmDataLoss(removed);
  await refuseDataLoss(removed);
});

test("a rotation is refused before it replaces a secret", async () => {
  await expect(refuseDataLoss(shorter)).rejects.toThrow(
    `no changes made:\n- ${LOSS}; deploy this change with npm run up -- --allow-data-loss first, or undo it`,
  );
});

describe("without a former declaration, a deploy compares with the cluster", () => {
  const LIVE_LOSS = "topic application-logs: retention.ms 9 -> 5: Kafka deletes records";
  const retention = RetentionPolicy.fromRetention({ "logs-*": { delete: { days: 10 } } });
  const UP = synthesis(laptop, { ...catalog, retentionPolicies: retention });
  const isStorage = (stack: string) => /-(network|storage)$/.test(stack);
  /** Nothing but the networks and volumes. */
  const DOWN: Synthesis = new Map([...UP].filter(([stack]) => isStorage(stack)));
  const NEW = {
    kafka: ["infra-events", "application-logs"],
    opensearch: ["logs"],
  };

  /** What the deploy did, in order. */
  let steps: string[];
  /** The clusters that serve. */
  let serving: string[];
  /** The clusters that serve once their nodes have started. */
  let startable: string[];
  beforeEach(() => {
    steps = [];
    serving = [];
    startable = ["kafka", "opensearch"];
    process.stdin.isTTY = false;
    jest.spyOn(console, "log").mockImplementation();
  });

  /** Returns a run that plans what leads from one synthesis to another. */
  function runOf(base: Synthesis, head: Synthesis): Run {
    const { changes } = report(base, head);
    const stacks = [...head].map(([name, json]) => ({ name, resources: resourcesOf(name, json) }));
    const nameOf = (address: string) =>
      stacks
        .flatMap(({ resources }) => resources)
        .find(({ type, id }) => `${type}.${id}` === address)?.body.name as string;
    const clusters = ["kafka", "opensearch"].map((cluster) => [
      cluster,
      { serves: async () => serving.includes(cluster) },
    ]);
    const run: Partial<Record<keyof Run, unknown>> = {
      platform: {
        environment: laptop,
        clusters: Object.fromEntries(clusters),
        nodes: (cluster: string) => [1, 2, 3].map((number) => `${cluster}-${number}`),
      },
      stacks,
      containers: containersOf(stacks.flatMap(({ resources }) => resources)),
      planned: stacks.map((stack) => {
        const own = changes.filter((change) => change.stack === stack.name);
        const actions = own.map(({ address, action }): [string, Action] => [address, action]);
        return { stack, changes: own.length > 0, actions: new Map(actions) };
      }),
      report: async () => report(base, head),
      replan: async () => undefined,
      async deploy(...layers: string[]) {
        steps.push(`deploy ${layers.join(" ")}`);
      },
      async apply(targets: readonly { readonly addresses: readonly string[] }[]) {
        const names = targets.flatMap(({ addresses }) => addresses.map(nameOf)).sort();
        steps.push(`start ${names.join(" ")}`);
        serving.push(...startable.filter((cluster) => names[0].startsWith(cluster)));
      },
    };
    return run as unknown as Run;
  }

  /** Returns what is left to compare. */
  async function confirmed(
    run: Run,
    unmanaged: readonly UnmanagedResource[] = [],
  ): Promise<readonly NewlyDeclaredIn[]> {
    const unknown = await confirmDataLoss(run);
    await confirmOnceStarted(run, unknown, unmanaged);
    return unknown;
  }

  test("if a topic is declared again, before it changes anything", async () => {
    serving = ["kafka", "opensearch"];
    jest.mocked(LIVE_DATA_LOSS.kafka).mockResolvedValue([LIVE_LOSS]);
    const run = runOf(withTopics([infraEvents]), withTopics([infraEvents, applicationLogs]));
    await expect(confirmed(run)).rejects.toThrow(
      `no changes made: this deploy deletes stored records, and standard input is not a terminal to ask: undo the change, or run npm run up -- --allow-data-loss\n- ${LIVE_LOSS}`,
    );
    await expect(refuseDataLoss(run)).rejects.toThrow(`no changes made:\n- ${LIVE_LOSS}; deploy`);
    expect(jest.mocked(LIVE_DATA_LOSS.kafka).mock.calls[0][1]).toEqual(["application-logs"]);
    expect(LIVE_DATA_LOSS.opensearch).not.toHaveBeenCalled();
    expect(steps).toEqual([]);
  });

  test("if the sidecars are created, since a deploy was killed after it removed them", async () => {
    serving = ["kafka", "opensearch"];
    const withoutJobs: Synthesis = new Map(JSON.parse(JSON.stringify([...UP])));
    for (const { resource } of withoutJobs.values()) {
      for (const [id, body] of Object.entries<{ must_run?: boolean }>(
        resource?.docker_container ?? {},
      )) {
        if (body.must_run === false) {
          delete resource.docker_container[id];
        }
      }
    }
    expect(await confirmed(runOf(withoutJobs, UP))).toEqual([]);
    expect(jest.mocked(LIVE_DATA_LOSS.kafka).mock.calls[0][1]).toEqual(NEW.kafka);
    expect(jest.mocked(LIVE_DATA_LOSS.opensearch).mock.calls[0][1]).toEqual(NEW.opensearch);
    expect(steps).toEqual([]);
  });

  test("after npm run down, once it has started the nodes, and before the sidecars run", async () => {
    jest.mocked(LIVE_DATA_LOSS.kafka).mockResolvedValue([LIVE_LOSS]);
    await expect(confirmed(runOf(DOWN, UP))).rejects.toThrow(
      `the nodes run, and nothing was changed in the clusters: this deploy deletes stored records, and standard input is not a terminal to ask: undo the change, or run npm run up -- --allow-data-loss\n- ${LIVE_LOSS}`,
    );
    expect(steps).toEqual([
      "deploy network storage backup",
      "start kafka-1 kafka-2 kafka-3",
      "start opensearch-1 opensearch-2 opensearch-3",
    ]);
    answering("yes");
    serving = [];
    await expect(confirmed(runOf(DOWN, UP))).rejects.toThrow(
      'the name is "laptop", not "yes": the nodes run, and nothing was changed in the clusters',
    );
    const { asked } = answering("laptop");
    serving = [];
    expect(await confirmed(runOf(DOWN, UP))).toEqual([
      { cluster: "kafka", names: NEW.kafka },
      { cluster: "opensearch", names: NEW.opensearch },
    ]);
    expect(asked).toHaveLength(1);
  });

  test("starts only the nodes of a cluster that does not serve", async () => {
    serving = ["opensearch"];
    const withoutKafka: Synthesis = new Map([...UP].filter(([name]) => !/messaging/.test(name)));
    await confirmed(runOf(withoutKafka, UP));
    expect(steps).toEqual(["deploy network storage backup", "start kafka-1 kafka-2 kafka-3"]);
  });

  test("asks nothing and starts nothing on a first deploy, whose plan creates every volume", async () => {
    await confirmed(runOf(new Map(), UP));
    expect(steps).toEqual([]);
    expect(LIVE_DATA_LOSS.kafka).not.toHaveBeenCalled();
    expect(LIVE_DATA_LOSS.opensearch).not.toHaveBeenCalled();
  });

  test("compares with unmanaged volumes, which a plan creates and the engine uses as they are", async () => {
    const volume = (name: string) => ({ kind: "volume", name }) as UnmanagedResource;
    await confirmed(runOf(new Map(), UP), [volume("kafka-2-data"), volume("grafana-data")]);
    expect(steps).toEqual(["deploy network storage backup", "start kafka-1 kafka-2 kafka-3"]);
    expect(LIVE_DATA_LOSS.kafka).toHaveBeenCalled();
    expect(LIVE_DATA_LOSS.opensearch).not.toHaveBeenCalled();
  });

  test("refuses if the cluster does not answer, with the reason", async () => {
    jest
      .mocked(LIVE_DATA_LOSS.kafka)
      .mockRejectedValue(new CommandError("Kafka, asked through kafka-1: timed out"));
    await expect(confirmed(runOf(DOWN, UP))).rejects.toThrow(
      "kafka does not answer, so it is not known whether this deploy deletes stored records of infra-events and application-logs: Kafka, asked through kafka-1: timed out. The init sidecars were not started. Fix this and run the same command again, or run npm run up -- --allow-data-loss",
    );
    startable = [];
    serving = [];
    await expect(confirmed(runOf(DOWN, UP))).rejects.toThrow(
      "stored records of infra-events and application-logs: no node serves. The init",
    );
  });
});
