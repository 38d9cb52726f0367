import { TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { laptop } from "../../environments/laptop";
import { container, type Json, synthesize } from "../support/platform";

test("the catalog is valid for one broker and one node", () => {
  const small = {
    ...laptop,
    kafka: { brokers: 1 },
    openSearch: { ...laptop.openSearch, nodes: 1 },
  };
  const { upload } = container(synthesize(small).stacks, "kafka-init");
  const topics = JSON.parse(upload.find(({ file }: Json) => file === TOPICS_FILE).content);
  expect(
    topics.map(({ replicationFactor, configs }: Json) => [
      replicationFactor,
      configs["min.insync.replicas"],
    ]),
  ).toEqual([
    [1, "1"],
    [1, "1"],
  ]);
});
