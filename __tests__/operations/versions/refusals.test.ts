import type { Environment } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { labThree } from "../../../lab/environments";
import { Platform } from "../../../operations/platform/platform";
import { describeVersionRefusals } from "../../../operations/versions/refusals";

/** The versions of the nodes of OpenSearch. */
let nodes: Record<string, string>;
/** The version of the brokers, and what is finalized. */
let broker: string;
let finalized: string;
/** Whether anything answers. */
let answers: boolean;
let asked: string[];

const featuresOf = (supported: string) =>
  ["kraft.version", "metadata.version", "share.version"]
    .map(
      (feature) =>
        `Feature: ${feature.padEnd(33)}SupportedMinVersion: 3.3-IV3          SupportedMaxVersion: ${feature === "metadata.version" ? supported : "1"}          FinalizedVersionLevel: ${feature === "metadata.version" ? finalized : "0"}          Epoch: 34`,
    )
    .join("\n");

/** The tags of the images of containers, by container; undefined if it never started. */
let containers: Record<string, readonly string[] | null | undefined>;

jest.mock("../../../operations/engine/docker", () => ({
  async askEngine(_: unknown, kind: string, ...args: string[]) {
    const name = args.at(-1) as string;
    asked.push(`${kind} ${name}`);
    const isImage = kind === "image";
    const container = isImage ? name.replace("sha256:", "") : name;
    const tags = containers[container];
    return container in containers
      ? {
          exitCode: 0,
          output: isImage
            ? JSON.stringify(tags)
            : `sha256:${name} ${tags === undefined ? "0001-01-01T00:00:00Z" : "2026-11-30T10:00:00.5Z"}`,
        }
      : { exitCode: 1, output: `no such ${kind}` };
  },
  async tryDockerAt(_: unknown, ...args: string[]) {
    const command = args.join(" ");
    asked.push(command);
    const output = command.includes("/_nodes")
      ? JSON.stringify({
          nodes: Object.fromEntries(
            Object.entries(nodes).map(([name, version]) => [name, { name, version }]),
          ),
        })
      : command.includes("--version")
        ? broker
        : command.includes("kafka-features.sh")
          ? featuresOf("4.3-IV0")
          : "{}";
    return answers ? { exitCode: 0, output } : { exitCode: 7, output: "no answer" };
  },
}));

beforeEach(() => {
  nodes = { "opensearch-1": "3.7.0", "opensearch-2": "3.7.0", "opensearch-3": "3.7.0" };
  broker = "4.3.1";
  finalized = "4.3-IV0";
  answers = true;
  asked = [];
  containers = {};
});

const refusals = (
  images: { readonly kafka?: string; readonly openSearch?: string },
  declared: Environment = laptop,
) => {
  const environment: Environment = {
    ...declared,
    kafka: { ...laptop.kafka, image: images.kafka },
    openSearch: { ...laptop.openSearch, image: images.openSearch },
  };
  return describeVersionRefusals(new Platform(environment), [
    ...(images.openSearch ? ["opensearch"] : []),
    ...(images.kafka ? ["kafka"] : []),
  ]);
};

describe("OpenSearch", () => {
  const image = (version: string) => `opensearchproject/opensearch:${version}`;
  const upgrade = (version: string) => refusals({ openSearch: image(version) });
  const SET = 'set openSearch.image of environment "laptop" in environments/laptop.ts to';

  test.each(["3.7.0", "3.8.0", "3.8.0-patched", "4.0.0", "stable"])(
    "goes from 3.7.0 to %s",
    async (version) => {
      expect(await upgrade(version)).toEqual([]);
    },
  );

  test("does not go back to an older version than any node has", async () => {
    nodes["opensearch-2"] = "3.8.0";
    expect(await upgrade("3.7.0")).toEqual([
      `the image of OpenSearch is ${image("3.7.0")}, but opensearch-2 runs 3.8.0: OpenSearch cannot return to an older version with the same data; ${SET} version 3.8.0 or newer`,
    ]);
    nodes = { "opensearch-1": "3.8.0", "opensearch-2": "3.10.0" };
    expect(await upgrade("3.7.1")).toEqual([
      `the image of OpenSearch is ${image("3.7.1")}, but opensearch-1 runs 3.8.0 and opensearch-2 runs 3.10.0: OpenSearch cannot return to an older version with the same data; ${SET} version 3.10.0 or newer`,
    ]);
  });

  test("does not skip a major version", async () => {
    nodes = { "opensearch-1": "1.3.20" };
    expect(await upgrade("3.8.0")).toEqual([
      `the image of OpenSearch is ${image("3.8.0")}, but opensearch-1 runs 1.3.20: OpenSearch cannot skip a major version; ${SET} the last version 2, run npm run up, then upgrade again`,
    ]);
    expect(await upgrade("2.19.3")).toEqual([]);
  });

  test("goes to version 3 only from 2.19 on", async () => {
    nodes = { "opensearch-1": "2.18.0" };
    expect(await upgrade("3.8.0")).toEqual([
      `the image of OpenSearch is ${image("3.8.0")}, but opensearch-1 runs 2.18.0: OpenSearch 3 needs data of version 2.19.0 or newer; ${SET} version 2.19.0, run npm run up, then upgrade again`,
    ]);
    nodes = { "opensearch-1": "2.19.1" };
    expect(await upgrade("3.8.0")).toEqual([]);
  });

  describe("does not go back to an older version than a node was started with that is down", () => {
    const TAGS = ["registry:5000/opensearch:3.8.0"];
    const REFUSED = (whose: string, more = "") =>
      `the image of OpenSearch is ${image("3.7.0")}, but ${whose}: a node cannot return to an older version with the same data; ${SET} version 3.8.0 or newer${more}. If its log shows that it ended before it opened its data, run docker rm --force opensearch-1 and npm run up`;
    const ONE = "opensearch-1, which does not answer, was started with 3.8.0";

    beforeEach(() => {
      delete nodes["opensearch-1"];
      containers = { "opensearch-1": TAGS };
    });

    test("and the message says how the others fill it again", async () => {
      expect(await upgrade("3.7.0")).toEqual([
        REFUSED(
          ONE,
          ", or if the other nodes have copies of all its shards, run docker rm --force opensearch-1, docker volume rm opensearch-1-data and npm run up, which fills it again",
        ),
      ]);
      expect(await upgrade("3.8.0")).toEqual([]);
      expect(await upgrade("3.9.0")).toEqual([]);
    });

    test("also if two are down, or on which machine", async () => {
      delete nodes["opensearch-2"];
      containers["opensearch-2"] = TAGS;
      const [refusal] = await refusals({ openSearch: image("3.7.0") }, labThree);
      expect(refusal).toContain(
        "but opensearch-1, which does not answer, was started with 3.8.0 and opensearch-2, which does not answer, was started with 3.8.0: ",
      );
      expect(refusal).toContain(
        "run, on a and b, docker rm --force opensearch-1 opensearch-2, docker volume rm opensearch-1-data opensearch-2-data and npm run up",
      );
    });

    test("also if no other node answers, which then cannot fill it", async () => {
      answers = false;
      expect(await upgrade("3.7.0")).toEqual([REFUSED(ONE)]);
    });

    test("but if it was never started, or its image tells no version, OpenSearch itself refuses the data", async () => {
      for (const tags of [undefined, null, [], ["opensearch:stable"], [image("3.7.0")]]) {
        containers["opensearch-1"] = tags;
        expect(await upgrade("3.7.0")).toEqual([]);
      }
    });

    test("and nodes that answer are not looked up", async () => {
      await upgrade("3.7.0");
      expect(asked.filter((command) => command.startsWith("container"))).toEqual([
        "container opensearch-1",
      ]);
    });
  });

  test("is not asked if none of its nodes serves, or if nothing of it changes", async () => {
    answers = false;
    expect(await upgrade("3.6.0")).toEqual([]);
    asked = [];
    expect(await refusals({})).toEqual([]);
    expect(asked).toEqual([]);
  });
});

describe("Kafka", () => {
  const rollTo = (version: string) => refusals({ kafka: `registry.example/kafka:${version}` });

  test("does not go below its finalized metadata.version", async () => {
    for (const version of ["4.2.1", "3.9.0"]) {
      expect(await rollTo(version)).toEqual([
        `the image of Kafka is registry.example/kafka:${version}, but metadata.version is finalized at 4.3-IV0: brokers before version 4.3 cannot read the cluster's metadata; set kafka.image of environment "laptop" in environments/laptop.ts to version 4.3.0 or newer`,
      ]);
    }
  });

  test("goes back to the old image before the new version is finalized", async () => {
    finalized = "4.2-IV1";
    expect(await rollTo("4.2.0")).toEqual([]);
  });

  test.each(["4.3.0", "4.3.1", "4.4.0", "stable"])("goes from 4.3.1 to %s", async (version) => {
    expect(await rollTo(version)).toEqual([]);
  });

  test("is asked what is finalized only for an older image, since that starts a JVM", async () => {
    await rollTo("4.3.1");
    expect(asked.filter((command) => command.includes("kafka-features.sh"))).toEqual([]);
  });

  test("is not asked if no broker serves", async () => {
    answers = false;
    expect(await rollTo("3.9.0")).toEqual([]);
  });
});
