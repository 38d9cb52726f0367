import { readFileSync } from "node:fs";
import { join } from "node:path";
import { laptop } from "../../../environments/laptop";
import { labThree } from "../../../lab/environments";
import { drawPicture, toMermaid } from "../../../tools/documentation/diagram";
import { containers, resources, synthesize } from "../../support/platform";
import { ROOT } from "../../support/root";

const { stacks } = synthesize(laptop);
const picture = drawPicture(laptop, new Map(Object.entries(stacks)));

test("the README's diagram matches the stacks: npm run diagram regenerates it", () => {
  const [, drawn] =
    /```mermaid\n([\s\S]*?)\n```/.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];
  expect(drawn).toBe(toMermaid(laptop, picture));
});

test("the diagram has every container and every volume", () => {
  const text = toMermaid(laptop, picture);
  const names = containers(stacks).map(({ name }) => name);
  expect(names.filter((name) => !text.includes(`"${name}`))).toEqual([]);
  expect(picture.units.flatMap(({ members }) => members)).toHaveLength(names.length);
  const volumes = resources(stacks, "docker_volume").map(({ name }) => name);
  const drawn = picture.units.flatMap(({ volumes: range = "" }) => range.split(" to "));
  expect(volumes.filter((name) => !/-2-data/.test(name) && !drawn.includes(name))).toEqual([]);
});

test("the diagram shows connections with their ports, and the startup order of the sidecars", () => {
  const told = picture.edges.map(({ from, to, label }) => `${from} -> ${to}: ${label}`);
  expect(told).toEqual(
    expect.arrayContaining([
      "host -> kafka: 9092 to 9094",
      "host -> opensearch: 9200 to 9202",
      "host -> grafana: 3000",
      "project -> kafka: kafka:9092",
      "project -> opensearch: opensearch:9200",
      "os-init -> opensearch: 9200",
      "kafka-init -> kafka: 19092",
      "opensearch -> os-init: when healthy",
      "kafka -> kafka-init: when healthy",
      "alloy -> loki: 3100",
      "grafana -> prometheus: 9090",
      "exit-relay -> engine: socket",
      "alloy -> engine: socket",
    ]),
  );
});

test("with several machines, the diagram shows the machine of each container, and services on all machines once", () => {
  const several = drawPicture(labThree, new Map(Object.entries(synthesize(labThree).stacks)));
  expect(several.units.map(({ name }) => name).sort()).toEqual([
    ...["exit-relay", "kafka", "kafka-init", "opensearch", "os-init"],
    "prometheus",
  ]);
  const text = toMermaid(labThree, several);
  for (const title of ["kafka-2 on b", "exit-relay-c on c", "prometheus on a"]) {
    expect(text).toContain(`"${title}"`);
  }
});
