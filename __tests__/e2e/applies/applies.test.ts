import {
  deploy,
  deployCatalog,
  docker,
  driftOf,
  expectDone,
  type Finished,
  freshLab,
  kafka,
  npm,
  openSearch,
  records,
  rerun,
  topic,
} from "../../support/lab";
import { expectAllDocuments, expectAllRecords, underLoad } from "../../support/load";

/** How many records the topic has. */
let count = 1000;

/** Deploys a catalog while a producer and an indexer write, and asserts that no acknowledged write is missing. */
async function deployUnderLoad(catalog: string): Promise<void> {
  let deployed: Finished | undefined;
  const load = await underLoad(catalog, () => {
    deployed = deployCatalog(catalog);
  });
  expectDone(deployed);
  expectAllRecords(load, 50);
  expectAllDocuments(load, openSearch, 50);
  count = records("infra-events");
}

const exitCodeOf = (container: string) =>
  Number(docker("inspect", "--format", "{{.State.ExitCode}}", container));

const template = () =>
  openSearch("GET", "/_index_template/logs_template").index_templates[0].index_template;

/** Returns the topic, with its configs sorted: Kafka lists them in no fixed order. */
function infraEvents() {
  const { configs, ...rest } = topic("infra-events");
  return { ...rest, configs: configs.split(",").sort() };
}

const setRetention = (milliseconds: number) =>
  kafka("kafka-configs", [
    ...["--entity-type", "topics", "--entity-name", "infra-events"],
    ...["--alter", "--add-config", `retention.ms=${milliseconds}`],
  ]);

const MORE_PARTITIONS = {
  ...{ partitions: 6, replicationFactor: 3 },
  configs: ["min.insync.replicas=2", "retention.ms=700000000", "segment.ms=600000"],
};
const FEWER_REPLICAS = {
  ...{ partitions: 6, replicationFactor: 2 },
  configs: ["min.insync.replicas=1", "retention.ms=800000000"],
};

beforeAll(async () => {
  await freshLab();
  expectDone(deploy());
  const lines = Array.from({ length: count }, (_, i) => `record ${i}`).join("\n");
  kafka("kafka-console-producer", ["--topic", "infra-events"], lines);
});

afterEach(() => {
  expect(records("infra-events")).toBe(count);
});

test("what kafka-init applied is in a compacted topic with the guarantees of the cluster", () => {
  expect(topic("__groundwork_applied")).toMatchObject({ partitions: 1, replicationFactor: 3 });
  expect(topic("__groundwork_applied").configs).toContain("cleanup.policy=compact");
});

test("more partitions, other configs and a new field are applied without onDrift", async () => {
  await deployUnderLoad("more-partitions");
  expect(infraEvents()).toEqual(MORE_PARTITIONS);
  expect(template().template.mappings.properties).toEqual({
    message: { type: "text" },
    region: { type: "keyword" },
  });
  for (const sidecar of ["kafka-init", "os-init"]) {
    const { exitCode, log } = rerun(sidecar);
    expect([sidecar, exitCode, driftOf(log)]).toEqual([sidecar, 0, []]);
    expect(log.at(-1)).toMatchObject({ created: 0, reconciled: 0 });
  }
});

test("a removed config is reset, replicas are moved, and a field is changed", async () => {
  await deployUnderLoad("fewer-replicas");
  expect(infraEvents()).toEqual(FEWER_REPLICAS);
  expect(template().template.mappings.properties.region).toEqual({ type: "text" });
});

describe("once somebody has edited both by hand", () => {
  let edited: ReturnType<typeof template>;
  let applied: ReturnType<typeof template>;

  beforeAll(() => {
    setRetention(900_000_000);
    applied = template();
    edited = structuredClone(applied);
    edited.template.settings.index.number_of_replicas = "2";
    openSearch("PUT", "/_index_template/logs_template", edited);
  });

  test("another declaration is drift, with each field, and changes nothing", () => {
    const { exitCode } = deployCatalog("more-partitions");
    expect(exitCode).not.toBe(0);
    expect([exitCodeOf("kafka-init"), exitCodeOf("os-init")]).toEqual([73, 73]);
    expect(driftOf(rerun("kafka-init").log)).toEqual([
      ["infra-events", "replicationFactor", "3", "2"],
      ["infra-events", "min.insync.replicas", "2", "1"],
      ["infra-events", "retention.ms", "700000000", "900000000"],
      ["infra-events", "segment.ms", "600000", expect.any(String)],
    ]);
    expect(driftOf(rerun("os-init").log)).toEqual([
      ["logs_template", "template.mappings.properties.region.type", '"keyword"', '"text"'],
      ["logs_template", "template.settings.index.number_of_replicas", '"1"', '"2"'],
    ]);
    expect(infraEvents()).toEqual({
      ...FEWER_REPLICAS,
      configs: ["min.insync.replicas=1", "retention.ms=900000000"],
    });
    expect(template()).toEqual(edited);
  });

  test("it is applied after the edits are reverted", () => {
    setRetention(800_000_000);
    openSearch("PUT", "/_index_template/logs_template", applied);
    expectDone(deployCatalog("more-partitions"));
    expect(infraEvents()).toEqual(MORE_PARTITIONS);
    expect(template().template.mappings.properties.region).toEqual({ type: "keyword" });
  });
});

// The shipped catalog declares neither 6 partitions nor a longer retention than Kafka's default.
test("npm run up changes nothing if a change deletes records, and nobody can be asked", () => {
  const before = docker("inspect", "--format", "{{.Id}}", "kafka-init");
  const { exitCode, output } = npm("up");
  expect(exitCode).toBe(1);
  expect(output).toContain("or run npm run up -- --allow-data-loss\n");
  expect(output).toContain(
    "- topic infra-events: retention.ms 700000000 -> unset (604800000): Kafka deletes records older than 604800000 ms",
  );
  expect(docker("inspect", "--format", "{{.Id}}", "kafka-init")).toBe(before);
});

test("fewer partitions are refused, with the way to do it", () => {
  const { exitCode, output } = npm("up", ["--allow-data-loss"]);
  expect(exitCode).toBe(1);
  expect(output).toContain(
    "not applied: Kafka cannot remove partitions: declare 6 partitions again, or declare a topic with another name and move the records",
  );
  expect(exitCodeOf("kafka-init")).toBe(73);
  expect(infraEvents()).toEqual(MORE_PARTITIONS);
});
