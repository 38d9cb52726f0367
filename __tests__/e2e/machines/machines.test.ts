import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { labThree } from "../../../environments/lab-three";
import { runLabScript, stopMachines } from "../../../lab/prepare";
import { copyOfProject, editCopy } from "../../../operations/bench/copy";
import { packetsWhile } from "../../support/capture";
import {
  expectDone,
  type Finished,
  freshLab,
  npm,
  onceItSays,
  run,
  TRIAL,
} from "../../support/lab";
import {
  asApplication,
  bootAgain,
  endLoad,
  isWhole,
  KAFKA,
  kafkaOn,
  loadOn,
  MACHINES,
  missed,
  on,
  openSearchOn,
  until,
  wholeAgain,
} from "../../support/machines";

let deployed: Finished;
beforeAll(async () => {
  await freshLab(labThree);
  deployed = npm("up");
});
afterEach(endLoad);
afterAll(stopMachines);

test("a platform on three machines deploys and holds what it promises", () => {
  expectDone(deployed);
  expect(deployed.output).toMatch(/^AUT-001 +yes /m);
  expect(deployed.output).toMatch(/^AUT-002 +yes /m);
  expect(deployed.output).toMatch(/^NFR-LOSS +yes +any one of the machines may be lost: a, b, c$/m);
  expect(deployed.output).not.toMatch(/^\S+ +NO /m);
});

test("another deploy has nothing to do, on any machine", () => {
  const again = npm("up");
  expectDone(again);
  expect(again.output.match(/: no changes/g)).toHaveLength(5 * (1 + MACHINES.length));
});

test("what was deleted by hand between two deploys is there again after the next one", () => {
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
  await until(
    "nothing is left of its look",
    () => !on("a", "network", "ls", "--format", "{{.Name}}").includes("groundwork-doctor"),
    30,
  );
});

test("npm run swarm finds the machines in the Swarm", () => {
  expect(npm("swarm")).toEqual({
    exitCode: 0,
    output: "a: is in the Swarm\nb: is in the Swarm\nc: is in the Swarm\n",
  });
});

test("every container is on its machine, and says so", () => {
  const there = Object.fromEntries(
    MACHINES.map(({ name }) => [
      name,
      on(name, "ps", "--all", "--format", "{{.Names}}").split("\n").sort().join(" "),
    ]),
  );
  expect(there).toEqual({
    a: "exit-relay-a kafka-1 kafka-init opensearch-1 os-init prometheus",
    b: "exit-relay-b kafka-2 opensearch-2",
    c: "exit-relay-c kafka-3 opensearch-3",
  });
  for (const { name } of MACHINES) {
    const filter = ["--filter", `label=groundwork.machine=${name}`];
    expect(on(name, "ps", ...filter, "--format", "{{.Names}}")).toContain(`exit-relay-${name}`);
  }
});

test("both clusters know the machines, and keep copies on different ones", () => {
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
  "an application on machine %s reaches both clusters, and its exit code is told there once",
  (name) => {
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
    const deadline = Date.now() + 30_000;
    while (told().length === 0 && Date.now() < deadline) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    }
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

test("what crosses between machines of an open platform can be read on the way", async () => {
  const packets = await packetsWhile(() => {
    asApplication(
      "c",
      `echo a-record-for-everybody | ${KAFKA}/kafka-console-producer.sh --bootstrap-server kafka:9092 --topic infra-events --command-property acks=all`,
    );
  });
  expect(packets.includes("a-record-for-everybody")).toBe(true);
});

test("a machine whose power is cut is missed by no application, and is back with its data when it starts again", async () => {
  const load = await loadOn("a");
  await runLabScript("machines.sh", "kill", "c");
  await missed("a");
  await load.goesOn();

  const refused = npm("up");
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain(
    "- machine c: no Docker engine answers at unix:///run/groundwork-lab/c.sock: ",
  );
  const without = npm("up", ["--without", "c"]);
  expectDone(without);
  expect(without.output).toContain("left out with what is placed there: c\n");
  expect(without.output).toMatch(/^AUT-001 +yes /m);
  expect(without.output).toMatch(/^AUT-003 +yes +memory reservation in force on 9 containers$/m);
  expect(without.output).toMatch(/^NFR-LOSS +yes +without c, one more may be lost of: none$/m);
  expect(without.output).not.toMatch(/^\S+ +NO /m);

  await bootAgain("c", "a");
  load.finish();
});

test("all machines are deployed to after that, and then nothing is to be done", () => {
  const whole = npm("up");
  expectDone(whole);
  expect(whole.output).not.toMatch(/^\S+ +NO /m);
  const again = npm("up");
  expectDone(again);
  expect(again.output.match(/: no changes/g)).toHaveLength(5 * (1 + MACHINES.length));
  expect(again.output).not.toMatch(/^\S+ +NO /m);
});

test("an engine that is suspended is named, and its containers serve on", async () => {
  await runLabScript("machines.sh", "freeze", "b");
  const refused = npm("up");
  await runLabScript("machines.sh", "thaw", "b");
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain(
    "- machine b: no Docker engine answers at unix:///run/groundwork-lab/b.sock: no answer within 15 s; ",
  );
  expect(isWhole("a")).toBe(true);
});

// The one with the sidecars, and the first of the managers.
test("a machine that is made anew takes its place, and has copies of everything again, also when its engine is suspended meanwhile", async () => {
  const load = await loadOn("b");
  await runLabScript("machines.sh", "wipe", "a");
  await missed("b");
  await load.goesOn();
  await runLabScript("machines.sh", "boot", "a");
  const swarm = npm("swarm");
  expect(swarm).toEqual({
    exitCode: 0,
    output:
      "a: what it was before is removed from the Swarm\na: joined as manager\nb: is in the Swarm\nc: is in the Swarm\n",
  });
  const ids = () => on("b", "ps", "--quiet", "--no-trunc") + on("c", "ps", "--quiet", "--no-trunc");
  const before = ids();
  // For as long as the Swarm takes to give up what an engine asks of it. Whether it comes to that, the next deploy does what is missing.
  await onceItSays(
    /kafka-1: creating/,
    async () => {
      await runLabScript("machines.sh", "freeze", "a");
      await setTimeout(20_000);
      await runLabScript("machines.sh", "thaw", "a");
    },
    "npm",
    ["run", "--silent", "up"],
  );
  const anew = npm("up");
  expectDone(anew);
  expect(anew.output).toMatch(/^NFR-LOSS +yes +any one of the machines may be lost: a, b, c$/m);
  expect(anew.output).not.toMatch(/^\S+ +NO /m);
  expect(ids()).toBe(before);
  await wholeAgain("b");
  load.finish();
});

/** The nodes of a cluster that a command has replaced. Fails where one went before the one before it was back. */
function rolledIn(output: string, cluster: string): string[] {
  const steps = [
    ...output.matchAll(new RegExp(`: (${cluster}-\\d): (destroyed|created) after`, "g")),
  ].map(([, node, step]) => `${node} ${step}`);
  const nodes = steps.filter((_, i) => i % 2 === 0).map((step) => step.split(" ")[0]);
  expect(steps).toEqual(nodes.flatMap((node) => [`${node} destroyed`, `${node} created`]));
  return nodes;
}

describe("a change that replaces every node", () => {
  let copy: string;
  const command = (script: string): [string, string[]] => [
    "node",
    ["-r", "./register.js", `commands/${script}.ts`],
  ];
  const inCopy = (script: string) => run(...command(script), {}, copy);
  const expectNothingToDo = () => {
    const again = inCopy("up");
    expectDone(again);
    expect(again.output.match(/: no changes/g)).toHaveLength(5 * (1 + MACHINES.length));
  };

  beforeAll(() => {
    copy = copyOfProject();
    editCopy(
      copy,
      "environments/lab-three.ts",
      'name: "lab-three",',
      'name: "lab-three",\n  memoryScale: 0.6,',
    );
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  test("is planned as a roll over the machines", () => {
    const { exitCode, output } = inCopy("plan");
    expect(exitCode).toBe(3);
    expect(output).toContain(
      "kafka is rolled by npm run up: kafka-1, kafka-2, kafka-3 one after the other",
    );
    expect(output).toMatch(/^lab-three-data-b\n {2}± container opensearch-2: replaced$/m);
  });

  test("is rolled node by node over the machines, and no application misses one, nor a machine that is cut off meanwhile", async () => {
    // The third broker is not the first to be replaced.
    const load = await loadOn("c");
    const rolled = await onceItSays(
      /kafka is rolled[\s\S]*: kafka-(\d): created after/,
      async ([, broker]) => {
        const { name } = MACHINES[Number(broker) - 1];
        await runLabScript("machines.sh", "cut", name);
        try {
          await missed("c");
          await load.goesOn();
        } finally {
          await runLabScript("machines.sh", "heal", name);
        }
      },
      ...command("up"),
      copy,
    );
    expectDone(rolled);
    for (const cluster of ["kafka", "opensearch"]) {
      const nodes = [1, 2, 3].map((i) => `${cluster}-${i}`);
      expect(rolled.output).toContain(`${cluster} is rolled: ${nodes.join(", ")}\n`);
      expect(rolledIn(rolled.output, cluster).sort()).toEqual(nodes);
    }
    expect(rolled.output).not.toMatch(/^\S+ +NO /m);
    load.finish();
    expectNothingToDo();
  });

  test("whose state is lost afterwards is taken over by npm run adopt, and no application misses it", async () => {
    rmSync(join(copy, ".state", labThree.name), { recursive: true });
    const refused = inCopy("up");
    expect(refused).toEqual({
      exitCode: 1,
      output: expect.stringContaining("npm run adopt takes them over and loses nothing"),
    });
    const load = await loadOn("b");
    const adopted = inCopy("adopt");
    expectDone(adopted);
    for (const name of ["network infra_net", "network project_net", "volume kafka-3-data"]) {
      expect(adopted.output).toContain(`took over ${name}\n`);
    }
    for (const cluster of ["kafka", "opensearch"]) {
      const nodes = [1, 2, 3].map((i) => `${cluster}-${i}`);
      expect(adopted.output).toContain(`${cluster} is rolled: ${nodes.join(", ")}\n`);
    }
    expect(adopted.output).not.toMatch(/^\S+ +NO /m);
    load.finish();
    expectNothingToDo();
  });
});

test("npm run down takes it down on every machine, and keeps what is stored", () => {
  const down = npm("down");
  expectDone(down);
  for (const { name } of MACHINES) {
    expect([name, on(name, "ps", "--all", "--quiet")]).toEqual([name, ""]);
    expect(on(name, "volume", "ls", "--quiet")).toContain("kafka-");
  }
});
