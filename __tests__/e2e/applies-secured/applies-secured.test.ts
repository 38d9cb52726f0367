import { driftOf, kafka, rerun, topic } from "../../support/lab";
import { deployedSampleApplication } from "../../support/sample-application";

const application = deployedSampleApplication();
const { project } = application;

const TOPICS = "catalog/topics.ts";
const SHIPPED = '{ name: "infra-events", partitions: 3 }';
const RETENTION = 700_000_000;
const LARGER = `{ name: "infra-events", partitions: 6, configs: { "retention.ms": ${RETENTION}, "segment.ms": 600_000 } }`;
const WITHOUT_SEGMENTS = `{ name: "infra-events", partitions: 6, configs: { "retention.ms": ${RETENTION} } }`;

const TEMPLATE = "catalog/index-templates/logs_template.json";
const LAST_FIELD = '"trace_id": { "type": "keyword" }';
const region = (type: string) => `${LAST_FIELD},\n        "region": { "type": "${type}" }`;

/** Returns the topic's partitions and configs, sorted: Kafka lists them in no fixed order. */
function infraEvents() {
  const { partitions, configs } = topic("infra-events");
  return { partitions, configs: configs.split(",").sort() };
}

const template = () =>
  application.administer("GET", "/_index_template/logs_template").index_templates[0].index_template;

/** Deploys while the sample application writes, and asserts that it lost nothing and that no node was replaced. */
async function deployUnderLoad(name: string): Promise<void> {
  const before = application.startedAt();
  const { load } = await application.deployUnderLoad(name);
  application.expectNothingLost(load, 50);
  expect(application.startedAt()).toEqual(before);
}

test("more partitions, configs and a new field are applied without onDrift", async () => {
  project.edit(TOPICS, SHIPPED, LARGER);
  project.edit(TEMPLATE, LAST_FIELD, region("keyword"));
  await deployUnderLoad("shop-more");
  expect(infraEvents()).toEqual({
    partitions: 6,
    configs: ["min.insync.replicas=2", `retention.ms=${RETENTION}`, "segment.ms=600000"],
  });
  expect(template().template.mappings.properties.region).toEqual({ type: "keyword" });
});

test("a removed config is reset, and a field is changed", async () => {
  project.edit(TOPICS, LARGER, WITHOUT_SEGMENTS);
  project.edit(TEMPLATE, region("keyword"), region("text"));
  await deployUnderLoad("shop-fewer");
  expect(infraEvents()).toEqual({
    partitions: 6,
    configs: ["min.insync.replicas=2", `retention.ms=${RETENTION}`],
  });
  expect(template().template.mappings.properties.region).toEqual({ type: "text" });
});

test("what somebody edited by hand is drift with each field, and stays", () => {
  kafka("kafka-configs", [
    ...["--entity-type", "topics", "--entity-name", "infra-events"],
    ...["--alter", "--add-config", "retention.ms=900000000"],
  ]);
  const edited = template();
  edited.template.settings.index.number_of_replicas = "2";
  application.administer("PUT", "/_index_template/logs_template", edited);

  const { exitCode, output } = project.command("up");
  expect(exitCode).toBe(1);
  expect(output).toContain("requirements not met");
  for (const [sidecar, drift] of [
    ["kafka-init", ["infra-events", "retention.ms", String(RETENTION), "900000000"]],
    ["os-init", ["logs_template", "template.settings.index.number_of_replicas", '"1"', '"2"']],
  ] as const) {
    const again = rerun(sidecar);
    expect([sidecar, again.exitCode, driftOf(again.log)]).toEqual([sidecar, 73, [drift]]);
  }
  expect(template()).toEqual(edited);
  expect(infraEvents().configs).toContain("retention.ms=900000000");
});
