import { renameSync, rmSync } from "node:fs";
import { expectDone, type Finished, records } from "../../support/lab";
import { deployedSecuredLab, Guest } from "../../support/secured";

let client: Guest;
let secured: Finished;
const project = deployedSecuredLab((project) => {
  project.edit("lab/environments.ts", '  security: "tls",\n', "");
  expectDone(project.command("up"));
  client = new Guest("client", "project_net");
  client.run(
    ...["sh", "-c"],
    "seq 100 | /opt/kafka/bin/kafka-console-producer.sh --bootstrap-server kafka:9092 --topic infra-events",
  );
  client.run(
    ...["curl", "--silent", "--request", "PUT", "--header", "Content-Type: application/json"],
    ...["--data", '{"message":"sold"}', "http://opensearch:9200/logs-shop-plaintext/_doc/1"],
  );
  const name = '  name: "lab-secured",\n';
  project.edit("lab/environments.ts", name, `${name}  security: "tls",\n`);
  secured = project.command("up");
  return secured;
});

describe("a plaintext platform whose security is set to TLS", () => {
  test("replaces all nodes of a cluster at once, and says so", () => {
    for (const cluster of ["opensearch", "kafka"]) {
      expect(secured.output).toContain(
        `${cluster} is unavailable while ${cluster}-1, ${cluster}-2, ${cluster}-3 are replaced at once: TLS nodes and plaintext nodes cannot communicate`,
      );
    }
  });

  test("keeps the stored data for applications with the permission to read it", () => {
    expect(records("infra-events")).toBe(100);
    client.put("ca.pem", project.credentials("ledger", "ca"));
    const document = (...who: string[]) =>
      client.run(
        ...["curl", "--silent", "--cacert", "/tmp/ca.pem", ...who],
        "https://opensearch:9200/logs-shop-plaintext/_doc/1",
      ).output;
    expect(
      JSON.parse(document("--user", `ledger:${project.passwordOf("ledger")}`))._source,
    ).toEqual({
      message: "sold",
    });
    expect(document()).toBe("Unauthorized");
  });

  test("refuses a deploy from a clone with another CA, and changes nothing", () => {
    const { secrets } = project;
    renameSync(secrets, `${secrets}-elsewhere`);
    // The plan creates them, and the deploy finds them.
    for (const command of ["plan", "up"]) {
      const { exitCode, output } = project.command(command);
      expect({ command, exitCode }).toEqual({ command, exitCode: 1 });
      expect(output).toMatch(
        /no changes made:\n- the running nodes of environment "lab-secured" trust "CN=groundwork lab-secured (\w+)", but \.state\/lab-secured\/secrets has "CN=groundwork lab-secured (?!\1)\w+", which they refuse: copy the secrets from the clone that deployed it, /,
      );
    }
    rmSync(secrets, { recursive: true });
    renameSync(`${secrets}-elsewhere`, secrets);
    expect(project.command("up").output.match(/: no changes/g)).toHaveLength(5);
  });
});
