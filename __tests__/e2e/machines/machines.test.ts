import { labThree } from "../../../lab/environments";
import { eventually } from "../../support/eventually";
import { expectDone, type Finished, npm, TRIAL } from "../../support/lab";
import {
  asApplication,
  containersByMachine,
  expectNoChanges,
  KAFKA,
  kafkaOn,
  MACHINES,
  on,
  onMachines,
  openSearchOn,
} from "../../support/machines";
import { packetsWhile } from "../../support/packet-capture";

let deployed: Finished;
onMachines(() => {
  deployed = npm("up");
  return deployed;
});

test("npm run up deploys a platform on three machines, and every requirement holds", () => {
  expect(deployed.output).toMatch(/^AUT-001 +yes /m);
  expect(deployed.output).toMatch(/^AUT-002 +yes /m);
  expect(deployed.output).toMatch(/^NFR-LOSS +yes +any one machine may be lost: a, b, c$/m);
  expect(deployed.output).not.toMatch(/^\S+ +NO /m);
});

test("a second deploy changes nothing on any machine", () => {
  expectNoChanges(npm("up"));
});

test("npm run up restores an index template that was deleted by hand", () => {
  openSearchOn("b", "/_index_template/logs_template", "DELETE");
  const restored = npm("up");
  expectDone(restored);
  expect(restored.output).toMatch(/^AUT-001 +yes /m);
  expect(openSearchOn("c", "/_index_template/logs_template").index_templates).toHaveLength(1);
});

test("npm run doctor finds that each machine reaches the others", async () => {
  const doctor = npm("doctor");
  expectDone(doctor);
  expect(doctor.output).toMatch(/^other machines \(a\) +yes +reaches b, c$/m);
  expect(doctor.output).toMatch(/^other machines \(c\) +yes +reaches a, b$/m);
  expect(doctor.output).toMatch(/^vm.max_map_count \(b\) +yes +\d+$/m);
  const ofDoctor = ["--quiet", "--filter", "name=groundwork-doctor"];
  await eventually(() => [on("a", "network", "ls", ...ofDoctor)].filter((left) => left !== ""));
});

test("npm run swarm finds the machines in the Swarm", () => {
  expect(npm("swarm")).toEqual({
    exitCode: 0,
    output:
      'a: already in the Swarm\nb: already in the Swarm\nc: already in the Swarm\nthe machines of environment "lab-three" are one Swarm: npm run doctor checks them, npm run up deploys\n',
  });
});

test("every container runs on its machine and has that machine's label", () => {
  expect(containersByMachine("--all")).toEqual({
    a: "exit-relay-a kafka-1 kafka-init opensearch-1 os-init prometheus",
    b: "exit-relay-b kafka-2 opensearch-2",
    c: "exit-relay-c kafka-3 opensearch-3",
  });
  for (const { name } of MACHINES) {
    const filter = ["--filter", `label=groundwork.machine=${name}`];
    expect(on(name, "ps", ...filter, "--format", "{{.Names}}")).toContain(`exit-relay-${name}`);
  }
});

test("both clusters know the machines and spread replicas over them", () => {
  const brokers = kafkaOn("b", "kafka-topics", "--describe", "--topic", "infra-events");
  expect([...brokers.matchAll(/Isr: (\S+)/g)].map(([, isr]) => isr.split(",").sort())).toEqual(
    [1, 2, 3].map(() => ["1", "2", "3"]),
  );
  for (const [i, { name }] of MACHINES.entries()) {
    const env = on(name, "inspect", `kafka-${i + 1}`, "--format", "{{json .Config.Env}}");
    expect(env).toContain(`"KAFKA_BROKER_RACK=${name}"`);
  }
  const attributes: { node: string; attr: string; value: string }[] = openSearchOn(
    "c",
    "/_cat/nodeattrs?h=node,attr,value&format=json&s=node",
  );
  expect(
    attributes.filter(({ attr }) => attr === "machine").map(({ node, value }) => [node, value]),
  ).toEqual([
    ["opensearch-1", "a"],
    ["opensearch-2", "b"],
    ["opensearch-3", "c"],
  ]);
});

test.each(MACHINES.map(({ name }) => name))(
  "an application on machine %s reaches both clusters, and the exit relay there alone reports its exit, once",
  async (name) => {
    const said = asApplication(
      name,
      `echo from-${name} | ${KAFKA}/kafka-console-producer.sh --bootstrap-server kafka:9092 --topic infra-events --command-property acks=all \
        && curl --silent --fail --request PUT --header 'Content-Type: application/json' --data '{"message":"from ${name}"}' http://opensearch:9200/logs-from-${name}/_doc/1`,
    );
    expect(said).toContain('"result":"created"');
    on(
      name,
      ...["run", ...TRIAL, "--name", `ends-${name}`, "--network", labThree.networks.project.name],
      ...["--entrypoint", "true", "apache/kafka:4.3.1"],
    );
    const told = () =>
      MACHINES.flatMap((machine) =>
        on(machine.name, "logs", `exit-relay-${machine.name}`)
          .split("\n")
          .filter((line) => line.includes(`"container":"ends-${name}"`))
          .map(() => machine.name),
      );
    await eventually(() => (told().length === 0 ? [`nobody tells of ends-${name}`] : []));
    expect(told()).toEqual([name]);
    on(name, "rm", `ends-${name}`);
  },
);

test("an application on a machine reaches the listeners for applications, and nothing else", () => {
  const open = asApplication(
    "c",
    `for host in kafka opensearch kafka-1 kafka-2 kafka-3 opensearch-1 opensearch-2 opensearch-3 prometheus \
       kafka-1.infra_net opensearch-1.infra_net prometheus.infra_net exit-relay-c; do
       timeout 2 getent hosts $host >/dev/null || continue
       for port in 2375 3000 3100 9090 9092 9093 9094 9200 9300 12345 19092; do
         timeout 2 bash -c "</dev/tcp/$host/$port" 2>/dev/null && echo $host:$port
       done
     done; true`,
  );
  expect(open.split("\n")).toEqual([
    ...["kafka:9092", "opensearch:9200", "kafka-1:9092", "kafka-2:9092", "kafka-3:9092"],
    ...["opensearch-1:9200", "opensearch-2:9200", "opensearch-3:9200"],
  ]);
});

test("traffic between the machines of a plaintext platform is readable on the network", async () => {
  const packets = await packetsWhile(() => {
    asApplication(
      "c",
      `echo a-record-for-everybody | ${KAFKA}/kafka-console-producer.sh --bootstrap-server kafka:9092 --topic infra-events --command-property acks=all`,
    );
  });
  expect(packets.includes("a-record-for-everybody")).toBe(true);
});

test("npm run down removes the containers of every machine and keeps the volumes", () => {
  const down = npm("down");
  expectDone(down);
  for (const { name } of MACHINES) {
    expect([name, on(name, "ps", "--all", "--quiet")]).toEqual([name, ""]);
    expect(on(name, "volume", "ls", "--quiet")).toContain("kafka-");
  }
});
