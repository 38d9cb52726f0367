import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { synthesizeTree } from "../../operations/synthesis/tree";
import { envOf, type Json } from "../support/platform";
import { ROOT } from "../support/root";

/** A separate project, since an example writes secrets. */
const project = mkdtempSync(join(tmpdir(), "examples-"));
const examples = join(project, "examples");

beforeAll(() => {
  cpSync(join(ROOT, "examples"), examples, {
    recursive: true,
    filter: (file) => !file.endsWith("/secrets"),
  });
  for (const name of ["constructs", "secrets", "node_modules"]) {
    symlinkSync(join(ROOT, name), join(project, name));
  }
});
afterAll(() => rmSync(project, { recursive: true }));

/** Returns the only stack of an example, and its containers by name. */
async function synthesize(example: string, stack: string) {
  const stacks = await synthesizeTree(join(examples, example), "none");
  expect([...stacks.keys()]).toEqual([stack]);
  const { resource, terraform } = stacks.get(stack);
  const bodies = Object.values<Json>(resource.docker_container);
  return {
    resource,
    terraform,
    containers: Object.fromEntries<Json>(bodies.map((body) => [body.name, body])),
  };
}

const fileOf = (body: Json, path: string) =>
  body.upload.find(({ file }: Json) => file === path).content;

test("the examples are complete", () => {
  const ofCompose = (file: string) => `examples/compose/${file}`;
  const files = readdirSync(join(ROOT, "examples"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)))
    .filter((file) => !/^examples\/(secured\/secrets\/|compose\/\.env$)/.test(file));
  expect(files.sort()).toEqual([
    "examples/README.md",
    ...["README.md", "compose.yaml", "config.alloy", "data-sources.yaml"].map(ofCompose),
    ...["prometheus.yml", "templates.sh", "topics.sh"].map(ofCompose),
    "examples/kafka-only/main.ts",
    "examples/opensearch-only/index-templates/products.json",
    ...["examples/opensearch-only/main.ts", "examples/secured/main.ts"],
  ]);
});

test("kafka-only has one broker, a topic and nothing else", async () => {
  const { containers, resource, terraform } = await synthesize("kafka-only", "orders");
  expect(Object.keys(containers).sort()).toEqual(["kafka-1", "kafka-init"]);
  expect(terraform.required_providers.docker.version).toBe("4.5.0");
  expect(JSON.parse(fileOf(containers["kafka-init"], TOPICS_FILE))).toEqual([
    {
      name: "orders",
      partitions: 3,
      replicationFactor: 1,
      onDrift: "fail",
      configs: { "min.insync.replicas": "1" },
    },
  ]);
  expect(Object.keys(resource.docker_network)).toHaveLength(2);
});

test("opensearch-only has one node, published on the host, and an index template", async () => {
  const { containers } = await synthesize("opensearch-only", "search");
  expect(Object.keys(containers).sort()).toEqual(["opensearch-1", "os-init"]);
  expect(containers["opensearch-1"].ports).toEqual([
    { internal: 9200, external: 9200, ip: "127.0.0.1" },
  ]);
  const template = fileOf(containers["os-init"], "/groundwork/index-templates/products.json");
  expect(JSON.parse(template).index_patterns).toEqual(["products-*"]);
});

test("secured has both clusters with TLS, an application in both, and generates all secrets", async () => {
  const { containers } = await synthesize("secured", "shop");
  expect(Object.keys(containers).sort()).toEqual([
    ...["kafka-1", "kafka-1-certificates", "kafka-init"],
    ...["opensearch-1", "opensearch-1-certificates", "os-security"],
  ]);
  expect(envOf(containers["kafka-1"]).KAFKA_LISTENER_SECURITY_PROTOCOL_MAP).toContain(
    "APP:SASL_SSL",
  );
  expect(envOf(containers["opensearch-1"])["plugins.security.ssl.http.enabled"]).toBe("true");
  const sources = Object.values(containers)
    .flatMap(({ upload }) => upload.map(({ source }: Json) => source ?? ""))
    .filter((source) => source.includes("/secrets/"));
  expect(sources.filter((source) => source.includes("shop"))).toHaveLength(2);
  expect(sources.filter((source) => !existsSync(source))).toEqual([]);
});
