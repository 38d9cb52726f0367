import { TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { small } from "../../environments/small";
import { container, type Json, synthesize } from "../support/platform";

test("the catalog is valid for one broker and one node", () => {
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
