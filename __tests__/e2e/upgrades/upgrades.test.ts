import { KAFKA_IMAGE, OPENSEARCH_IMAGE } from "../../../constructs";
import { lab } from "../../../lab/environments";
import { buildImages } from "../../../lab/prepare";
import { eventually } from "../../support/eventually";
import {
  docker,
  expectDone,
  type Finished,
  freshLab,
  NODES,
  OF_THE_LAB,
  onceItSays,
  openSearch,
} from "../../support/lab";
import {
  expectAllDocuments,
  expectAllRecords,
  goneOneByOne,
  type Load,
  underLoad,
} from "../../support/load";
import { projectCopy } from "../../support/project-copy";
import { finalizedLevel, OLD_IMAGES as OLD, shownVersions } from "../../support/versions";

const SETTING = "cluster.routing.allocation.enable";
const copy = projectCopy();

/** Sets the images of the lab in the copy. */
function setImages(from: string, to: string): void {
  copy.edit("lab/environments.ts", from, to);
}

const WITHOUT_IMAGES =
  "openSearch: { ...laptop.openSearch, raiseUlimits: false, indexManagement: false },";
const OF_KAFKA = `kafka: { ...laptop.kafka, image: "${OLD.kafka}" },`;
const OF_OPENSEARCH = `openSearch: { ...laptop.openSearch, raiseUlimits: false, indexManagement: false, image: "${OLD.openSearch}" },`;

/** Returns the ids of all nodes, which change when a node is replaced. */
const nodeIds = () =>
  docker("ps", "--quiet", "--filter", "label=groundwork.cluster", ...OF_THE_LAB)
    .split("\n")
    .sort();

function versionsOfOpenSearch(): string[] {
  const { nodes } = openSearch("GET", "/_nodes?filter_path=nodes.*.version");
  return Object.values<{ version: string }>(nodes).map(({ version }) => version);
}

const shown = (service: string) => shownVersions(copy, service);

beforeAll(async () => {
  await freshLab({
    ...lab,
    kafka: { ...lab.kafka, image: OLD.kafka },
    openSearch: { ...lab.openSearch, image: OLD.openSearch },
  });
  await buildImages({ kafka: KAFKA_IMAGE, opensearch: OPENSEARCH_IMAGE }, { sharedClasses: true });
  setImages(WITHOUT_IMAGES, `${OF_OPENSEARCH}\n  ${OF_KAFKA}`);
  expectDone(copy.command("up"));
});

test("an environment chooses older versions than the tried ones", () => {
  expect(shown("OpenSearch")).toEqual(["OpenSearch", OLD.openSearch, "3.4.0", "-", "3.8.0"]);
  expect(shown("Kafka")).toEqual(["Kafka", OLD.kafka, "4.2.1", "4.2-IV1", "4.3.1"]);
});

describe("an upgrade of both clusters", () => {
  let finished: Finished;
  let load: Load;

  beforeAll(async () => {
    setImages(`${OF_OPENSEARCH}\n  ${OF_KAFKA}`, WITHOUT_IMAGES);
    load = await underLoad("upgraded", async () => {
      finished = await onceItSays(
        /rolling replacement of opensearch/,
        // Of so many primaries, some are on the newer node, and no other node takes their replicas.
        () =>
          eventually(() => {
            const versions = [...new Set(versionsOfOpenSearch())];
            if (versions.length < 2) {
              return versions;
            }
            const index = { settings: { number_of_shards: 6 } };
            const { acknowledged, error } = openSearch("PUT", "/meanwhile", index);
            // The node may have been replaced before it answered.
            const exists = error?.type === "resource_already_exists_exception";
            return acknowledged || exists ? [] : [error];
          }),
        "node",
        ["commands/groundwork.mjs", "up"],
        copy.folder,
      );
    });
  });

  test("succeeds, one node at a time", () => {
    expectDone(finished);
    for (const cluster of ["opensearch", "kafka"] as const) {
      expect(goneOneByOne(load, cluster)).toEqual(NODES[cluster]);
    }
    expect(new Set(versionsOfOpenSearch())).toEqual(new Set(["3.8.0"]));
  });

  test("loses no write", () => {
    expectAllRecords(load);
    expectAllDocuments(load);
  });

  test("leaves every replica assigned, also of an index that was created meanwhile, and no setting", () => {
    expect(openSearch("GET", "/_cluster/health/meanwhile").status).toBe("green");
    const { persistent, transient } = openSearch("GET", "/_cluster/settings?flat_settings=true");
    expect({ ...persistent, ...transient }).not.toHaveProperty([SETTING]);
  });

  test("does not finalize Kafka", () => {
    expect(shown("Kafka")).toEqual(["Kafka", KAFKA_IMAGE, "4.3.1", "4.2-IV1", "4.3.1"]);
  });
});

test("an older OpenSearch is refused before anything is replaced", () => {
  const before = nodeIds();
  setImages(WITHOUT_IMAGES, OF_OPENSEARCH);
  const { exitCode, output } = copy.command("up");
  setImages(OF_OPENSEARCH, WITHOUT_IMAGES);
  expect(exitCode).toBe(1);
  expect(output).toContain(
    `the image of OpenSearch is ${OLD.openSearch}, but opensearch-1 runs 3.8.0 and opensearch-2 runs 3.8.0 and opensearch-3 runs 3.8.0: OpenSearch cannot return to an older version with the same data`,
  );
  expect(nodeIds()).toEqual(before);
});

test("what an interrupted upgrade left is removed by the next deploy, without a change", () => {
  const before = nodeIds();
  openSearch("PUT", "/_cluster/settings", { persistent: { [SETTING]: "primaries" } });
  const finished = copy.command("up");
  expectDone(finished);
  expect(finished.output).toContain(
    "opensearch: replicas may move again, which an interrupted upgrade had left forbidden",
  );
  expect(openSearch("GET", "/_cluster/settings?flat_settings=true").persistent).not.toHaveProperty([
    SETTING,
  ]);
  expect(nodeIds()).toEqual(before);
});

describe("the version of Kafka", () => {
  test("goes back to the old image before it is finalized, and forward again", () => {
    setImages(WITHOUT_IMAGES, `${WITHOUT_IMAGES}\n  ${OF_KAFKA}`);
    // The roll was tested above and takes twice as long.
    expectDone(copy.command("up", "--at-once"));
    expect(shown("Kafka").slice(1, 4)).toEqual([OLD.kafka, "4.2.1", "4.2-IV1"]);
    setImages(`${WITHOUT_IMAGES}\n  ${OF_KAFKA}`, WITHOUT_IMAGES);
    expectDone(copy.command("up", "--at-once"));
  });

  test("is finalized by npm run finalize, as a plan says before, and the quorum stays static", () => {
    expect(copy.command("plan").output).toContain(
      "npm run finalize raises metadata.version of Kafka from 4.2-IV1 to 4.3-IV0: Kafka accepts that",
    );
    const { exitCode, output } = copy.command("finalize");
    expect(exitCode).toBe(1);
    expect(output).toContain("metadata.version of Kafka: 4.2-IV1 -> 4.3-IV0");
    expect(finalizedLevel("metadata.version")).toBe("4.2-IV1");
    expectDone(copy.command("finalize", "--yes"));
    expect(finalizedLevel("metadata.version")).toBe("4.3-IV0");
    expect(finalizedLevel("kraft.version")).toBe("0");
  });

  test("does not go back afterwards", () => {
    const before = nodeIds();
    setImages(WITHOUT_IMAGES, `${WITHOUT_IMAGES}\n  ${OF_KAFKA}`);
    const { exitCode, output } = copy.command("up");
    expect(exitCode).toBe(1);
    expect(output).toContain(
      `the image of Kafka is ${OLD.kafka}, but metadata.version is finalized at 4.3-IV0`,
    );
    expect(nodeIds()).toEqual(before);
  });
});
