import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { catalog } from "../../catalog";
import { laptop } from "../../environments/laptop";
import {
  COMPOSE_EXAMPLE,
  compareWithCompose,
  readComposeExample,
} from "../../lab/bench/comparison";
import { containers, type Json, synthesize } from "../support/platform";
import { ROOT } from "../support/root";

const { stacks } = synthesize(laptop);
const { services } = readComposeExample();

test("the page on the compose example has the comparison that the benchmark prints", () => {
  const page = readFileSync(join(COMPOSE_EXAMPLE, "README.md"), "utf8");
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const compared = compareWithCompose(containers(stacks), catalog);
  const [lines] = compared;
  expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain(
    `${lines.compose} lines in place of ${lines.groundwork}`,
  );
  expect(rows).toEqual(
    compared.map(({ what, groundwork, compose }) => [what, groundwork, compose]),
  );
});

test("the compose example has the images, memory limits and ports of environment laptop, and as many nodes", () => {
  const declared = new Map(containers(stacks).map((body) => [body.name, body]));
  const images = new Map(
    Object.values(stacks).flatMap(({ resource }) =>
      Object.entries<Json>(resource?.docker_image ?? {}).map(([id, { name }]) => [id, name]),
    ),
  );
  expect(Object.keys(services)).toHaveLength(12);
  for (const [name, { image, mem_limit, ports = [] }] of Object.entries<Json>(services)) {
    const body = declared.get(name);
    expect([name, image]).toEqual([
      name,
      images.get(/docker_image\.([^.]+)/.exec(body.image)?.[1] ?? ""),
    ]);
    // Compose's init containers have no limit.
    expect([name, mem_limit && mebibytes(mem_limit)]).toEqual([
      name,
      body.must_run === false ? undefined : body.memory,
    ]);
    const hostPortsOf = (published: string[]) => published.map((port) => port.replace(/:\d+$/, ""));
    expect([name, hostPortsOf(ports)]).toEqual([
      name,
      (body.ports ?? []).map(({ ip, external }: Json) => `${ip}:${external}`),
    ]);
  }
  const nodes = (names: Iterable<string>) => [...names].filter((name) => /-\d+$/.test(name)).sort();
  expect(nodes(Object.keys(services))).toEqual(nodes(declared.keys()));
});

const mebibytes = (limit: string) =>
  limit.endsWith("g") ? 1024 * Number.parseInt(limit, 10) : Number.parseInt(limit, 10);

test("the compose example creates the topics of the catalog", () => {
  const script = readFileSync(join(COMPOSE_EXAMPLE, "topics.sh"), "utf8");
  expect(
    [...script.matchAll(/^create (\S+) (\d+)$/gm)].map(([, name, n]) => [name, Number(n)]),
  ).toEqual(catalog.topics.map(({ name, partitions }) => [name, partitions]));
});

test("the compose example mounts files that exist", () => {
  const mounts = Object.values(services).flatMap(({ volumes = [] }) => volumes);
  const files = mounts.map((mount) => mount.split(":")[0]).filter((path) => path.startsWith("."));
  expect(files.length).toBeGreaterThan(4);
  expect(files.filter((path) => !existsSync(join(COMPOSE_EXAMPLE, path)))).toEqual([]);
  const { datasources } = parse(readFileSync(join(COMPOSE_EXAMPLE, "data-sources.yaml"), "utf8"));
  const hosts = datasources.map(({ url }: Json) => new URL(url).hostname);
  expect(hosts.filter((host: string) => !(host in services))).toEqual([]);
});
