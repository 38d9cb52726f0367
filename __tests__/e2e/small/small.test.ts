import {
  docker,
  expectDone,
  type Finished,
  freshLab,
  OF_THE_LAB,
  records,
  topic,
} from "../../support/lab";
import { projectCopy } from "../../support/project-copy";

const copy = projectCopy();
let deploy: Finished;

/** The lab with the nodes of environment `small`. */
beforeAll(async () => {
  await freshLab();
  const file = "lab/environments.ts";
  copy.edit(
    file,
    'import { laptop } from "../environments/laptop";',
    'import { small } from "../environments/small";',
  );
  copy.edit(file, "...laptop,", "...small,");
  copy.edit(file, "...laptop.openSearch", "...small.openSearch");
  deploy = copy.command("up");
});

test("one node of each cluster meets every requirement", () => {
  expectDone(deploy);
  const rows = [...deploy.output.matchAll(/^((?:AUT|NFR)-\w+) +(\S+)/gm)];
  expect(rows.map(([, name, holds]) => [name, holds])).toEqual(
    ["AUT-001", "AUT-002", "AUT-003", "NFR-VIS", "NFR-IDEM"].map((name) => [name, "yes"]),
  );
  expect(topic("infra-events")).toMatchObject({ partitions: 3, replicationFactor: 1 });
});

test("hello writes and reads through both", () => {
  const hello = copy.command("hello");
  expectDone(hello);
  expect(hello.output.match(/^(done|failed|skipped)/gm)).toEqual([
    ...["done", "done", "done", "done", "skipped"],
  ]);
});

test("a changed configuration replaces the broker, which keeps its data, and then nothing changes any more", () => {
  copy.edit(
    "constructs/kafka/kafka-cluster.ts",
    '"auto.create.topics.enable": false,',
    '"auto.create.topics.enable": false,\n    "log.cleaner.threads": 2,',
  );
  expectDone(copy.command("up"));
  expect(records("infra-events")).toBe(1);
  expect(copy.command("plan").output).toMatch(/^no changes$/m);
});

test("all containers together are limited to less than 4 GiB", () => {
  const names = docker("ps", "--quiet", ...OF_THE_LAB).split("\n");
  const limits = docker("inspect", "--format", "{{.HostConfig.Memory}}", ...names).split("\n");
  expect(limits.map(Number)).not.toContain(0);
  const bytes = limits.map(Number).reduce((sum, limit) => sum + limit, 0);
  expect(bytes).toBeLessThan(4 * 1024 ** 3);
});
