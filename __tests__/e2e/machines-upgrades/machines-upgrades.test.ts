import { KAFKA_IMAGE, OPENSEARCH_IMAGE } from "../../../constructs";
import { imageVersion } from "../../../constructs/container/image-reference";
import { buildImages } from "../../../lab/prepare";
import { runLabScript } from "../../../lab/scripts";
import { expectDone, type Finished, NODES } from "../../support/lab";
import {
  kafkaOn,
  loadOn,
  MACHINES,
  onMachines,
  openSearchOn,
  rolledIn,
  wholeAgain,
} from "../../support/machines";
import { projectCopy } from "../../support/project-copy";
import { OLD_IMAGES } from "../../support/versions";

const copy = projectCopy();
const NAME = 'name: "lab-three",';
const OLD = `${NAME}
  kafka: { ...lab.kafka, image: "${OLD_IMAGES.kafka}" },
  openSearch: { ...lab.openSearch, image: "${OLD_IMAGES.openSearch}" },`;

onMachines(async () => {
  await buildImages(
    { kafka: OLD_IMAGES.kafka, opensearch: OLD_IMAGES.openSearch },
    { sharedClasses: true },
  );
  const all = [OLD_IMAGES.kafka, OLD_IMAGES.openSearch];
  await runLabScript("machines.sh", "start", String(MACHINES.length), ...all);
  copy.edit("lab/environments.ts", NAME, OLD);
  return copy.command("up");
});

const versions = () => ({
  opensearch: Object.values<{ version: string }>(
    openSearchOn("a", "/_nodes?filter_path=nodes.*.version").nodes,
  ).map(({ version }) => version),
  kafka: MACHINES.map(({ name }) => kafkaOn(name, "kafka-topics", "--version").split(" ")[0]),
});
const all = (opensearch: string, kafka: string) => ({
  opensearch: Array(3).fill(imageVersion(opensearch)),
  kafka: Array(3).fill(imageVersion(kafka)),
});

describe("an upgrade of both clusters", () => {
  let upgraded: Finished;

  beforeAll(async () => {
    expect(versions()).toEqual(all(OLD_IMAGES.openSearch, OLD_IMAGES.kafka));
    copy.edit("lab/environments.ts", OLD, NAME);
    const load = await loadOn("c");
    upgraded = copy.command("up");
    expectDone(upgraded);
    await load.goesOn();
    load.finish();
  });

  test("replaces one node at a time over the machines, and loses no acknowledged write", () => {
    for (const [cluster, nodes] of Object.entries(NODES)) {
      expect(rolledIn(upgraded.output, cluster).sort()).toEqual(nodes);
    }
    expect(versions()).toEqual(all(OPENSEARCH_IMAGE, KAFKA_IMAGE));
    expect(upgraded.output).not.toMatch(/^\S+ +NO /m);
  });

  test("leaves every replica assigned, and no setting", async () => {
    await wholeAgain("b");
    const { persistent, transient } = openSearchOn("b", "/_cluster/settings?flat_settings=true");
    expect(Object.keys({ ...persistent, ...transient })).not.toContain(
      "cluster.routing.allocation.enable",
    );
  });
});
