import { readdirSync } from "node:fs";
import { join } from "node:path";
import { TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { synthesizeTree } from "../../operations/synthesis/tree";
import type { Json } from "../support/platform";

const EXAMPLES = join(__dirname, "..", "..", "examples");

test("there is an example of a project that uses the public constructs", () => {
  expect(readdirSync(EXAMPLES, { recursive: true })).toEqual(["kafka-only", "kafka-only/main.ts"]);
});

test("kafka-only has one broker, its topics and nothing of the platform", async () => {
  const stacks = await synthesizeTree(join(EXAMPLES, "kafka-only"), "none");
  expect([...stacks.keys()]).toEqual(["orders"]);
  const { resource, terraform } = stacks.get("orders");
  const containers = Object.values<Json>(resource.docker_container);
  expect(containers.map(({ name }) => name).sort()).toEqual(["kafka-1", "kafka-init"]);
  expect(terraform.required_providers.docker.version).toBe("4.5.0");
  const init = containers.find(({ name }) => name === "kafka-init");
  const { content } = init.upload.find(({ file }: Json) => file === TOPICS_FILE);
  expect(JSON.parse(content)).toEqual([
    {
      name: "orders",
      partitions: 3,
      replicationFactor: 1,
      onDrift: "fail",
      configs: { "min.insync.replicas": "1" },
    },
  ]);
});
