import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { expectDone, NODES } from "../../support/lab";
import { deployedSecuredLab, Guest } from "../../support/secured";

const project = deployedSecuredLab();

test("npm run adopt recovers a lost state while everything runs, one node at a time, and keeps permissions and passwords", () => {
  const folder = join(project.folder, ".state", labSecured.name);
  const password = project.passwordOf("shop");
  const kafkaProperties = project.credentials("shop", "properties");
  const caBundle = project.credentials("shop", "ca");
  // Running nodes would refuse a new CA.
  for (const file of readdirSync(folder).filter((name) => name !== "secrets")) {
    rmSync(join(folder, file), { recursive: true });
  }
  const refused = project.command("up");
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain("npm run adopt takes them over and keeps all stored data");
  const adopted = project.command("adopt");
  expectDone(adopted);
  for (const [cluster, nodes] of Object.entries(NODES)) {
    expect(adopted.output).toContain(`rolling replacement of ${cluster}: ${nodes.join(", ")}`);
  }
  expect(adopted.output).not.toMatch(/^\S+ +NO /m);
  const again = project.command("up");
  expect(again.output.match(/: no changes/g)).toHaveLength(5);

  const client = new Guest("client", labSecured.networks.project.name);
  try {
    client.put("ca.pem", caBundle);
    client.put("client.properties", kafkaProperties);
    expect(client.status("https://opensearch:9200", "--user", `shop:${password}`)).toBe("200");
    const topics = client.run(
      ...["/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", "kafka:9092"],
      ...["--command-config", "client.properties", "--list"],
    );
    expect(topics.output.split("\n")).toContain("infra-events");
  } finally {
    client.remove();
  }
});
