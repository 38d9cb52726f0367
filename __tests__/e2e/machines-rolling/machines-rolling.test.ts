import { runLabScript } from "../../../lab/scripts";
import { expectDone, NODES, onceItSays } from "../../support/lab";
import {
  expectNoChanges,
  loadOn,
  MACHINES,
  missed,
  onMachines,
  rolledIn,
} from "../../support/machines";
import { projectCopy } from "../../support/project-copy";

onMachines();

describe("a change that replaces every node", () => {
  const copy = projectCopy();

  beforeAll(() => {
    const name = 'name: "lab-three",';
    copy.edit("lab/environments.ts", name, `${name}\n  memoryScale: 0.6,`);
  });

  test("is planned as a rolling replacement", () => {
    const { exitCode, output } = copy.command("plan");
    expect(exitCode).toBe(3);
    expect(output).toContain(
      "rolling replacement of kafka by npm run up: kafka-1, kafka-2, kafka-3, one at a time",
    );
    expect(output).toMatch(/^lab-three-data-b\n {2}± container opensearch-2: replaced$/m);
  });

  test("rolls one node at a time over the machines, and no application notices it or a machine that is cut off meanwhile", async () => {
    // The third broker is not replaced first.
    const load = await loadOn("c");
    const rolled = await onceItSays(
      /rolling replacement of kafka[\s\S]*: kafka-(\d): created after/,
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
      "node",
      ["commands/groundwork.mjs", "up"],
      copy.folder,
    );
    expectDone(rolled);
    for (const [cluster, nodes] of Object.entries(NODES)) {
      expect(rolled.output).toContain(`rolling replacement of ${cluster}: ${nodes.join(", ")}\n`);
      expect(rolledIn(rolled.output, cluster).sort()).toEqual(nodes);
    }
    expect(rolled.output).not.toMatch(/^\S+ +NO /m);
    load.finish();
    expectNoChanges(copy.command("up"));
  });
});
