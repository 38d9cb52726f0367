import { exclusions, settled, setWatermark } from "../../support/grown-opensearch";
import { docker } from "../../support/lab";
import { expectEven, expectNothingSet } from "../../support/replicas";
import { deployedSampleApplication } from "../../support/sample-application";

const application = deployedSampleApplication();
const { project } = application;

const NODES = 'security: "tls",\n  openSearch: { ...lab.openSearch, image';
const FOUR_NODES =
  'security: "tls",\n  kafka: { ...lab.kafka, brokers: 4 },\n  openSearch: { ...lab.openSearch, nodes: 4, image';

beforeAll(() => setWatermark(undefined, application.administer));

function expectNothingLeft(): void {
  expectNothingSet();
  expect(exclusions(application.administer)).toEqual([]);
}

test("a fourth node of each cluster joins with a certificate of its own, and no other restarts", async () => {
  const before = application.startedAt();
  project.edit("lab/environments.ts", NODES, FOUR_NODES);
  const { load } = await application.deployUnderLoad("shop-grown");
  // First, since the consumer that reads the records back creates __consumer_offsets, which Kafka places itself.
  expectEven(4);
  application.expectNothingLost(load, 100);
  expect(application.startedAt()).toEqual(before);
  await settled(4, application.administer);
  expectNothingLeft();
  for (const node of ["kafka-4", "opensearch-4"]) {
    expect(project.keyPairOf(node)).toContain("BEGIN CERTIFICATE");
  }
});

test("both leave while the clusters serve, with nothing of them but their volumes", async () => {
  const before = application.startedAt();
  project.edit("lab/environments.ts", FOUR_NODES, NODES);
  const { deploy, load } = await application.deployUnderLoad("shop-shrunk");
  application.expectNothingLost(load, 100);
  expect(deploy.output).toContain("kafka-4 has left kafka, without data");
  expect(deploy.output).toContain("opensearch-4 has left opensearch, without data");
  expect(application.startedAt()).toEqual(before);
  expectEven(3);
  await settled(3, application.administer);
  expectNothingLeft();
  expect(docker("ps", "--all", "--quiet", "--filter", "name=-4")).toBe("");
  const volumes = docker("volume", "ls", "--quiet", "--filter", "name=-4-").split("\n");
  expect(volumes.sort()).toEqual(["kafka-4-data", "opensearch-4-data"]);
});
