import { grownLab } from "../../support/grown-opensearch";
import { docker, expectDone, type Finished, openSearch } from "../../support/lab";
import { expectAllRecords, type Load, underLoad } from "../../support/load";
import { expectInSync, expectNothingSet, startTimes } from "../../support/replicas";

const lab = grownLab();

const BROKERS = 'name: "lab",\n  openSearch';
const brokers = (count: number) =>
  `name: "lab",\n  kafka: { ...laptop.kafka, brokers: ${count} },\n  openSearch`;

describe("a deploy that removes nodes of both clusters and replaces the others", () => {
  let before: Record<string, string>;
  let deploy: Finished | undefined;
  let load: Load;

  beforeAll(async () => {
    lab.copy.edit("lab/environments.ts", BROKERS, brokers(4));
    expectDone(lab.copy.command("up"));
    before = lab.startTimes();
    openSearch("PUT", "/logs-removed");
    const oneCopy = { "index.auto_expand_replicas": "false", "index.number_of_replicas": 0 };
    openSearch("PUT", "/_all/_settings?expand_wildcards=all", oneCopy);
    lab.copy.edit("lab/environments.ts", brokers(4), brokers(3));
    lab.setNodes(1);
    // Every broker has it in its configuration.
    lab.copy.edit(
      "constructs/kafka/kafka-cluster.ts",
      '"auto.create.topics.enable": false,',
      '"auto.create.topics.enable": false,\n    "log.cleaner.threads": 2,',
    );
    load = await underLoad("removed", () => {
      deploy = lab.copy.command("up");
    });
  });

  test("removes nodes with a vote first, then replaces, then removes the others", () => {
    expectDone(deploy);
    const [first, ...others] =
      (deploy?.output ?? "").match(/(rolling replacement of|moving data from) .*/g) ?? [];
    expect([first, ...others.slice(0, 2).sort(), ...others.slice(2)]).toEqual([
      "moving data from opensearch-2 and opensearch-3 to the other nodes of opensearch",
      // Both at the same time.
      "rolling replacement of kafka: kafka-1, kafka-2, kafka-3",
      "rolling replacement of opensearch: opensearch-1",
      "moving data from kafka-4 to the other nodes of kafka",
    ]);
  });

  test("leaves the declared nodes alone, all replaced, and the volumes of all", () => {
    const after = lab.startTimes();
    expect(Object.keys(after).sort()).toEqual(["kafka-1", "kafka-2", "kafka-3", "opensearch-1"]);
    for (const [name, started] of Object.entries(after)) {
      expect(started).not.toBe(before[name]);
    }
    for (const name of ["kafka-4", "opensearch-2", "opensearch-3"]) {
      const volume = `${name}-data`;
      expect(docker("volume", "ls", "--quiet", "--filter", `name=${volume}`)).toBe(volume);
    }
  });

  test("loses no document, and leaves no exclusion", async () => {
    await lab.expectGreen(1);
    lab.expectDocuments();
    expect(lab.exclusions()).toEqual([]);
  });

  test("loses no record, and leaves nothing of the move", () => {
    expectAllRecords(load, 100);
    expect(Object.keys(startTimes("kafka"))).toHaveLength(3);
    expectInSync();
    expectNothingSet();
  });
});
