import { rmSync } from "node:fs";
import { join } from "node:path";
import { labThree } from "../../../environments/lab-three";
import { runLabScript, stopMachines } from "../../../lab/prepare";
import { copyOfProject, editCopy } from "../../../operations/bench/copy";
import { expectDone, freshLab, npm, onceItSays, run } from "../../support/lab";
import { endLoad, loadOn, MACHINES, missed } from "../../support/machines";

beforeAll(async () => {
  await freshLab(labThree);
  expectDone(npm("up"));
});
afterEach(endLoad);
afterAll(stopMachines);

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
