import { laptop } from "../../../environments/laptop";
import { lab, labThree } from "../../../lab/environments";
import type { Change } from "../../../operations/changes/change";
import { RENDERERS } from "../../../operations/changes/render";
import { describeRoll, rollsOf } from "../../../operations/changes/roll";
import type { Synthesis } from "../../../operations/synthesis/tree";
import { BASE, edited, idOf, report, synthesis } from "../../support/previews";

describe("npm run up rolls", () => {
  const rolls = (base: Synthesis, head: Synthesis) =>
    report(base, head).rolls.map(({ cluster, replaced, obstacle }) => [
      cluster,
      replaced.map(({ name }) => name),
      obstacle,
    ]);
  const withHeap = (...names: string[]) =>
    edited((stacks) => {
      for (const name of names) {
        const { docker_container: containers } = stacks["laptop-messaging"].resource;
        containers[idOf(containers, name)].env.push("KAFKA_HEAP_OPTS=-Xmx1g");
      }
    });

  test("a cluster of which several nodes are replaced, or one", () => {
    expect(rolls(BASE, withHeap("kafka-1", "kafka-3"))).toEqual([
      ["kafka", ["kafka-1", "kafka-3"], undefined],
    ]);
    expect(rolls(BASE, withHeap("kafka-2"))).toEqual([["kafka", ["kafka-2"], undefined]]);
  });

  test("one node without the warning that a plain deploy replaces several at once", () => {
    const [one] = report(BASE, withHeap("kafka-2")).rolls;
    expect(describeRoll(one)).toBe(
      "rolling replacement of kafka by npm run up: kafka-2, when the cluster is healthy. A plain cdktf deploy does not wait for that",
    );
    expect(describeRoll({ ...one, obstacle: "the nodes leave the network" })).toBe(
      "kafka is unavailable while kafka-2 is replaced: the nodes leave the network",
    );
  });

  test("nodes on several machines, each in the stack of its machine", () => {
    const machines = (memoryScale: number) => synthesis({ ...labThree, memoryScale });
    const found = report(machines(0.5), machines(0.6)).rolls.map(({ cluster, replaced }) => [
      cluster,
      replaced.map(({ name, stack }) => `${name} in ${stack}`),
    ]);
    expect(Object.fromEntries(found)).toEqual({
      opensearch: ["a", "b", "c"].map((name, i) => `opensearch-${i + 1} in lab-three-data-${name}`),
      kafka: ["a", "b", "c"].map((name, i) => `kafka-${i + 1} in lab-three-messaging-${name}`),
    });
  });

  test("no single-node cluster and no new cluster", () => {
    const single = { ...laptop, openSearch: { ...laptop.openSearch, nodes: 1 } };
    const more = { ...single, memoryScale: 2 };
    expect(rolls(synthesis(single), synthesis(more)).map(([cluster]) => cluster)).toEqual([
      "kafka",
    ]);
    expect(rolls(new Map(), BASE)).toEqual([]);
  });

  test("no cluster to which nodes are added: the others do not change, open or secured", () => {
    for (const security of ["none", "tls"] as const) {
      const base = synthesis({ ...lab, security });
      const more = synthesis({
        ...{ ...lab, security },
        openSearch: { ...lab.openSearch, nodes: 5 },
        kafka: { brokers: 4 },
      });
      expect(rolls(base, more)).toEqual([]);
      expect(
        report(base, more)
          .changes.filter(({ node }) => node)
          .map(({ subject, action }) => [subject, action]),
      ).toEqual([
        ["container opensearch-4", "create"],
        ["container opensearch-5", "create"],
        ["container kafka-4", "create"],
      ]);
    }
  });

  test.each([
    [3, { brokers: 5, controllers: 5 }, { brokers: 3 }],
    [1, { brokers: 3 }, { brokers: 1 }],
  ])(
    "not Kafka with %i controllers, if it would get others, which the preview says",
    (former, kafka, before) => {
      const more = synthesis({ ...laptop, kafka });
      const said = RENDERERS.terminal([report(synthesis({ ...laptop, kafka: before }), more)]);
      expect(said).toContain(
        `npm run up refuses this: the Kafka cluster that exists has ${former} controller${former === 1 ? "" : "s"}, and a cluster that exists cannot change that: set kafka.controllers of the environment to ${former}, and kafka.brokers to ${former} or more`,
      );
      expect(said).not.toContain("rolling replacement of kafka");
    },
  );

  test("no cluster in which TLS is enabled, since TLS nodes and plaintext nodes cannot communicate", () => {
    const secured = synthesis({ ...lab, security: "tls" });
    const obstacle = "TLS nodes and plaintext nodes cannot communicate";
    expect(rolls(synthesis(lab), secured)).toEqual([
      ["opensearch", ["opensearch-1", "opensearch-2", "opensearch-3"], obstacle],
      ["kafka", ["kafka-1", "kafka-2", "kafka-3"], obstacle],
    ]);
  });
});

describe("unmanaged nodes", () => {
  const made = (name: string) =>
    ({
      ...{ stack: "laptop-messaging", address: `docker_container.${name}`, action: "create" },
      node: {
        ...{ cluster: "kafka", name },
        ...{ leavesNetwork: false, changesSecurity: false },
      },
    }) as Change;
  const nodes = ["kafka-1", "kafka-2", "kafka-3"];

  test("are replaced one at a time", () => {
    const [roll] = rollsOf(nodes.map(made), {}, nodes);
    expect(roll.replaced.map(({ name }) => name)).toEqual(nodes);
    expect([roll.added, roll.obstacle]).toEqual([[], undefined]);
  });

  test("count as nodes of the cluster: after an interruption the rest is still rolled", () => {
    const [roll] = rollsOf([made("kafka-3")], { kafka: 2 }, ["kafka-3"]);
    expect(roll.replaced.map(({ name }) => name)).toEqual(["kafka-3"]);
    expect(roll.obstacle).toBeUndefined();
  });

  test("are added if an interrupted deploy left them out, and the others are rolled", () => {
    const replaced = (name: string) => ({ ...made(name), action: "replace" }) as Change;
    const [roll] = rollsOf([replaced("kafka-1"), made("kafka-2"), replaced("kafka-3")], {
      kafka: 2,
    });
    expect([roll.replaced, roll.added].map((list) => list.map(({ name }) => name))).toEqual([
      ["kafka-1", "kafka-3"],
      ["kafka-2"],
    ]);
    expect(roll.obstacle).toBeUndefined();
  });

  test("are not rolled if no such container runs", () => {
    expect(rollsOf(nodes.map(made), {})).toEqual([]);
  });
});
