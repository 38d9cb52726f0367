import { finalizeVersions } from "../../../commands/finalize";
import { showVersions } from "../../../commands/versions";
import { KAFKA_IMAGE, OPENSEARCH_IMAGE } from "../../../constructs";
import { labSecured } from "../../../lab/environments";
import { Platform } from "../../../operations/platform/platform";
import { describePendingFinalization } from "../../../operations/versions/finalize";
import { restoreVariables } from "../../support/variables";

/** The version of each broker that answers. */
let brokers: Record<string, string>;
/** The levels of the features. */
let levels: Record<string, number>;
let nodes: Record<string, string>;
/** Why Kafka refuses to raise a level. */
let refusal: string | undefined;
/** The changes that Kafka was asked for. */
let changes: string[];

const NAMES: Readonly<Record<number, string>> = { 29: "4.2-IV1", 30: "4.3-IV0" };

/** Answers as the tools of Kafka 4.3.1 do, measured with a broker. */
function kafkaTool(broker: string, tool: string, args: readonly string[]): string {
  if (tool === "kafka-topics.sh") {
    return brokers[broker];
  }
  const change = /upgrade --feature (\S+)=(\d+)( --dry-run)?/.exec(args.join(" "));
  if (change) {
    changes.push(change[0]);
    const [, feature, level, isDryRun] = change;
    if (refusal) {
      throw new Error(refusal);
    }
    if (!isDryRun) {
      levels[feature] = Number(level);
    }
    return `${feature} ${isDryRun ? "can be" : "was"} upgraded to ${level}.`;
  }
  if (args.includes("version-mapping")) {
    const [level] = Object.entries(NAMES).find(([, name]) => name === args.at(-1)) ?? [];
    return `metadata.version=${level} (${args.at(-1)})\nkraft.version=1\ntransaction.version=2`;
  }
  const row = (feature: string, least: unknown, most: unknown, finalized: unknown) =>
    `Feature: ${feature}\tSupportedMinVersion: ${least}\tSupportedMaxVersion: ${most}\tFinalizedVersionLevel: ${finalized}\tEpoch: 34`;
  const { "metadata.version": metadata, "kraft.version": kraft } = levels;
  return [
    row("kraft.version", 0, 1, kraft),
    row("metadata.version", "3.3-IV3", "4.3-IV0", NAMES[metadata]),
  ].join("\n");
}

jest.mock("../../../operations/engine/context", () => ({
  followContext: async (environment: unknown) => environment,
}));

/** Called before the lock is taken, as another command would act meanwhile. */
let beforeLock: () => void;

jest.mock("../../../operations/lock/lock", () => ({
  async withLock(_: unknown, __: unknown, work: () => Promise<void>) {
    beforeLock();
    await work();
  },
}));

jest.mock("../../../operations/engine/docker", () => ({
  async tryDockerAt(_: unknown, ...args: string[]) {
    const container = args.find((arg) => /^(kafka|opensearch)-\d$/.test(arg)) ?? "";
    const tool =
      args
        .find((arg) => arg.endsWith(".sh"))
        ?.split("/")
        .at(-1) ?? "";
    if (!Object.hasOwn({ ...brokers, ...nodes }, container)) {
      return { exitCode: 1, output: "no such container" };
    }
    if (args.some((arg) => arg.includes("/_nodes"))) {
      const found = Object.entries(nodes).map(([name, version]) => ({ name, version }));
      return { exitCode: 0, output: JSON.stringify({ nodes: found }) };
    }
    try {
      const output = tool.startsWith("kafka-") ? kafkaTool(container, tool, args) : "{}";
      return { exitCode: 0, output };
    } catch (error) {
      return { exitCode: 1, output: (error as Error).message };
    }
  },
}));

restoreVariables();
const said: string[] = [];
const { isTTY } = process.stdin;

beforeEach(() => {
  process.env.GROUNDWORK_ENV = "lab-secured";
  brokers = { "kafka-1": "4.3.1", "kafka-2": "4.3.1", "kafka-3": "4.3.1" };
  nodes = { "opensearch-1": "3.4.0", "opensearch-2": "3.4.0", "opensearch-3": "3.4.0" };
  levels = { "metadata.version": 29, "kraft.version": 0 };
  refusal = undefined;
  changes = [];
  beforeLock = () => undefined;
  said.length = 0;
  process.stdin.isTTY = false;
  jest.spyOn(console, "log").mockImplementation((text) => said.push(...text.split("\n")));
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => {
  process.stdin.isTTY = isTTY;
});

const DRY_RUN = "upgrade --feature metadata.version=30 --dry-run";

describe("npm run finalize", () => {
  test("says what it does, and raises metadata.version only", async () => {
    await finalizeVersions({ yes: true, forceUnlock: false });
    expect(said).toEqual([
      "metadata.version of Kafka: 4.2-IV1 -> 4.3-IV0 (level 30); all brokers run 4.3.1",
      "Kafka accepts this change. No other feature changes, and no broker is replaced.",
      "It cannot be taken back: afterwards no broker before version 4.3 can join.",
      "metadata.version of Kafka is 4.3-IV0",
    ]);
    expect(changes).toEqual([DRY_RUN, DRY_RUN, "upgrade --feature metadata.version=30"]);
    expect(levels).toEqual({ "metadata.version": 30, "kraft.version": 0 });
  });

  test("without a terminal, only validates unless it is confirmed with --yes", async () => {
    await expect(finalizeVersions({ yes: false, forceUnlock: false })).rejects.toThrow(
      "finalize cannot be taken back and needs a confirmation, but standard input is not a terminal: add --yes",
    );
    expect(said).toHaveLength(3);
    expect(changes).toEqual([DRY_RUN]);
  });

  test("looks again once it has the lock: another command may have gone back to an earlier image", async () => {
    beforeLock = () => {
      brokers["kafka-1"] = "4.2.0";
    };
    await expect(finalizeVersions({ yes: true, forceUnlock: false })).rejects.toThrow(
      "the brokers do not all run one version: 4.2.0 (kafka-1), 4.3.1 (kafka-2, kafka-3)",
    );
    expect(changes).toEqual([DRY_RUN]);
  });

  test("refuses if another command has finalized meanwhile", async () => {
    beforeLock = () => {
      levels["metadata.version"] = 30;
    };
    await expect(finalizeVersions({ yes: true, forceUnlock: false })).rejects.toThrow(
      "no changes made: 4.2-IV1 -> 4.3-IV0 was confirmed, and by now the newest metadata.version is finalized: run npm run finalize again",
    );
    expect(changes).toEqual([DRY_RUN]);
  });

  test("changes nothing if the newest version is finalized", async () => {
    levels["metadata.version"] = 30;
    await finalizeVersions({ yes: true, forceUnlock: false });
    expect(said).toEqual([
      "Kafka has finalized the newest metadata.version that its brokers support",
    ]);
    expect(changes).toEqual([]);
  });

  test.each<[string, () => void, string]>([
    [
      "brokers run different versions",
      () => {
        brokers["kafka-1"] = "4.2.0";
      },
      "4.2.0 (kafka-1), 4.3.1 (kafka-2, kafka-3)",
    ],
    [
      "a broker does not answer",
      () => {
        delete brokers["kafka-3"];
      },
      "4.3.1 (kafka-1, kafka-2), no answer (kafka-3)",
    ],
    [
      "no broker answers",
      () => {
        brokers = {};
      },
      "no answer",
    ],
  ])("refuses while %s", async (_, change, found) => {
    change();
    await expect(finalizeVersions({ yes: true, forceUnlock: false })).rejects.toThrow(
      `the brokers do not all run one version: ${found}. Nothing was changed. Run npm run up to replace the others, then run the same command again`,
    );
    expect(changes).toEqual([]);
  });

  test("stops if Kafka refuses, before it asks", async () => {
    refusal = "Can not upgrade metadata.version to 30.";
    await expect(finalizeVersions({ yes: true, forceUnlock: false })).rejects.toThrow(
      "Kafka refuses metadata.version=30: Can not upgrade metadata.version to 30.",
    );
    expect(changes).toEqual([DRY_RUN]);
  });
});

describe("npm run plan", () => {
  const pending = () => describePendingFinalization(new Platform(labSecured));

  test("says what npm run finalize would raise, with Kafka's answer to a dry run", async () => {
    await expect(pending()).resolves.toEqual([
      "npm run finalize raises metadata.version of Kafka from 4.2-IV1 to 4.3-IV0: Kafka accepts that. Until then, the previous image can come back",
    ]);
    expect(changes).toEqual([DRY_RUN]);
    refusal = "Can not upgrade metadata.version to 30.";
    await expect(pending()).resolves.toEqual([
      "npm run finalize: Kafka refuses metadata.version=30: Can not upgrade metadata.version to 30.",
    ]);
  });

  test("says nothing of it if there is nothing to finalize, or while a broker does not answer", async () => {
    levels["metadata.version"] = 30;
    await expect(pending()).resolves.toEqual([]);
    levels["metadata.version"] = 29;
    delete brokers["kafka-3"];
    await expect(pending()).resolves.toEqual([]);
    expect(changes).toEqual([]);
  });
});

describe("npm run versions", () => {
  const triedOpenSearch = OPENSEARCH_IMAGE.split(":")[1];
  const [, triedKafka] = KAFKA_IMAGE.split(":");
  const image = labSecured.openSearch.image;

  test("shows what is declared, running, finalized and tried, and what to do", async () => {
    await showVersions();
    expect(said.map((line) => line.split(/ {2,}/))).toEqual([
      ["service", "image", "running", "finalized", "tried with"],
      ["OpenSearch", image, "3.4.0", "-", triedOpenSearch],
      ["Kafka", KAFKA_IMAGE, "4.3.1", "4.2-IV1", triedKafka],
      [""],
      [`OpenSearch: Groundwork was tried with ${OPENSEARCH_IMAGE}, not ${image}`],
      [
        "Kafka: npm run finalize raises metadata.version from 4.2-IV1 to 4.3-IV0. Until then, the previous image can come back",
      ],
    ]);
  });

  test("names the nodes whose versions differ", async () => {
    brokers["kafka-1"] = "4.2.0";
    delete nodes["opensearch-3"];
    await showVersions();
    expect(said.map((line) => line.split(/ {2,}/)).slice(1, 3)).toEqual([
      [
        "OpenSearch",
        image,
        "3.4.0 (opensearch-1, opensearch-2), no answer (opensearch-3)",
        "-",
        triedOpenSearch,
      ],
      ["Kafka", KAFKA_IMAGE, "4.2.0 (kafka-1), 4.3.1 (kafka-2, kafka-3)", "4.2-IV1", triedKafka],
    ]);
    expect(said.at(-1)).toBe("Kafka: kafka-1 will have version 4.3.1 after npm run up");
  });

  test("of a platform that does not run shows what is declared", async () => {
    [brokers, nodes] = [{}, {}];
    await showVersions();
    expect(said.map((line) => line.split(/ {2,}/)).slice(1, 3)).toEqual([
      ["OpenSearch", image, "no answer", "-", triedOpenSearch],
      ["Kafka", KAFKA_IMAGE, "no answer", "-", triedKafka],
    ]);
  });
});
