import type { Topic } from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { brokerDiskOf } from "../../../operations/changes/broker-disk";
import { reportOf } from "../../../operations/changes/plan";
import { RENDERERS } from "../../../operations/changes/render";
import { containersIn } from "../../../operations/synthesis/tree";
import { withTopics } from "../../support/previews";

const GIB = 1024 ** 3;
const sized = (name: string, configs: Topic["configs"], more: Partial<Topic> = {}): Topic => ({
  ...{ name, partitions: 3, ...more },
  configs,
});
const withDisk = (diskGiB: number) => ({ ...laptop, kafka: { brokers: 3, diskGiB } });
const diskOf = (diskGiB: number, ...topics: Topic[]) =>
  brokerDiskOf(withDisk(diskGiB), containersIn(withTopics(topics)));

test("what topics may take is their retention and a segment for each replica on a broker", () => {
  expect(diskOf(100, sized("a", { "retention.bytes": 4 * GIB }))).toEqual({
    // Each of 3 brokers has a replica of each of 3 partitions.
    ...{ diskGiB: 100, topicsGiB: 15, unlimitedTopics: [] },
  });
  const small = { "retention.bytes": GIB, "segment.bytes": GIB / 2 };
  expect(diskOf(100, sized("a", small, { replicationFactor: 1 }))?.topicsGiB).toBe(1.5);
  expect(
    diskOf(100, sized("a", small, { partitions: 4, replicationFactor: 1 }), sized("b", small)),
  ).toMatchObject({ topicsGiB: 3 + 4.5 });
});

test("topics that are limited by time only, or only compacted, are named", () => {
  const bytes = { "retention.bytes": GIB };
  const disk = diskOf(
    100,
    sized("timed", { "retention.ms": 1000 }),
    sized("endless", { "retention.bytes": -1 }),
    sized("compacted", { ...bytes, "cleanup.policy": "compact" }),
    sized("both", { ...bytes, "cleanup.policy": "compact,delete" }),
  );
  expect(disk).toEqual({
    ...{ diskGiB: 100, topicsGiB: 6, unlimitedTopics: ["timed", "endless", "compacted"] },
  });
});

test("an environment that does not declare the disk has the sum of its topics, without a warning", () => {
  const withoutDisk = { ...laptop, kafka: { brokers: 3 } };
  const shown = (...topics: Topic[]) => {
    const brokerDisk = brokerDiskOf(withoutDisk, containersIn(withTopics(topics)));
    return RENDERERS.terminal([{ ...reportOf(withoutDisk, []), brokerDisk }]).split("\n");
  };
  const lines = shown(sized("a", { "retention.bytes": GIB }), sized("b", {}));
  expect(lines.at(-1)).toBe("topics on each broker 6 GiB, and 1 without a limit of size");
  expect(lines).not.toContain("warnings");
  expect(shown().join("\n")).not.toContain("topics on each broker");
});

test("a report sums up the disk, and warns if it is too small or topics have no limit", () => {
  const report = reportOf(withDisk(8), []);
  const shown = (...topics: Topic[]) =>
    RENDERERS.terminal([{ ...report, brokerDisk: diskOf(8, ...topics) }]).split("\n");
  const fitting = shown(sized("a", { "retention.bytes": GIB }));
  expect(fitting.at(-1)).toBe("topics on each broker 6 of 8 GiB (75 %)");
  expect(fitting).not.toContain("warnings");
  const over = shown(sized("a", { "retention.bytes": 2 * GIB }), sized("b", {}), sized("c", {}));
  expect(over.at(-1)).toBe(
    "topics on each broker 9 of 8 GiB (113 %), and those without a limit: b, c",
  );
  expect(over).toContain(
    "  ! topics may take 9 GiB on each broker, and kafka.diskGiB is 8: lower retention.bytes, segment.bytes or partitions, or add disk or brokers",
  );
  expect(over).toContain(
    "  ! topics without a limit of size may fill the 8 GiB disk of a broker: set retention.bytes for b, c",
  );
});
