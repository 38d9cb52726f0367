import { OPENSEARCH_HTTP_PORT } from "../../constructs";
import { nodeOfCertificates } from "../../constructs/security/node-certificates";
import type { Environment } from "../../environments";
import {
  clusterOf,
  labelOf,
  type SynthesizedContainer,
  sidecarsIn,
} from "../../operations/synthesis/container";
import { containersIn, type Synthesis } from "../../operations/synthesis/tree";

/** One box of the diagram: a cluster with its nodes, or a container. */
interface Unit {
  readonly name: string;
  /** The network to draw it in, which is the first one that it joins. */
  readonly network: string;
  readonly members: readonly SynthesizedContainer[];
  /** The volumes as a range, such as `kafka-1-data to kafka-3-data`. */
  readonly volumes?: string;
  readonly oneShot: boolean;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** Whether it shows a startup order instead of a connection. */
  readonly order?: boolean;
}

/** The networks, containers, volumes, listeners and startup order of the synthesized stacks. */
export interface Picture {
  readonly units: readonly Unit[];
  readonly edges: readonly Edge[];
}

const HOST = "host";
const ENGINE = "engine";
const PROJECT = "project";

/** Returns the boxes for everything outside of containers. */
function outside({ networks }: Environment): [string, string][] {
  return [
    [HOST, "127.0.0.1"],
    [PROJECT, `${networks.project.name}: applications`],
    [ENGINE, "Docker engine"],
  ];
}

export function drawPicture({ networks }: Environment, synthesis: Synthesis): Picture {
  // Jobs that copy certificates reach nothing.
  const containers = containersIn(synthesis).filter(
    ({ name }) => nodeOfCertificates(name) === undefined,
  );
  const names = [...new Set(containers.map(unitOf))];
  const units = names.map((name) =>
    toUnit(
      name,
      containers.filter((body) => unitOf(body) === name),
    ),
  );
  return {
    units,
    edges: units.flatMap((unit) => [
      ...publishedPorts(unit),
      ...listeners(unit, networks.project.name),
      ...connections(unit, units),
      ...(readsEngine(unit) ? [{ from: unit.name, to: ENGINE, label: "socket" }] : []),
      ...(unit.oneShot ? orderOf(unit, units) : []),
    ]),
  };
}

/** Returns the name of the cluster, or of the service if each machine runs one. */
function unitOf(body: SynthesizedContainer): string {
  const suffix = `-${labelOf(body, "machine")}`;
  const { name } = body;
  return clusterOf(body) ?? (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name);
}

/** Returns the container's name, and its machine if there are several. */
function titleOf(body: SynthesizedContainer): string {
  const machine = labelOf(body, "machine");
  return machine ? `${body.name} on ${machine}` : body.name;
}

function toUnit(name: string, members: readonly SynthesizedContainer[]): Unit {
  const volumes = members.flatMap(({ volumes: mounts = [] }) =>
    mounts.flatMap(({ volume_name }) => volume_name ?? []),
  );
  return {
    name,
    network: members[0].networks_advanced[0].name,
    members,
    volumes: volumes.length > 0 ? range(volumes) : undefined,
    oneShot: sidecarsIn(members).length === members.length,
  };
}

function range(items: readonly (string | number)[]): string {
  return items.length === 1 ? String(items[0]) : `${items[0]} to ${items[items.length - 1]}`;
}

function publishedPorts({ name, members }: Unit): Edge[] {
  const ports = members.flatMap(({ ports: published = [] }) =>
    published.map(({ external }) => external),
  );
  return ports.length > 0 ? [{ from: HOST, to: name, label: range(ports) }] : [];
}

/** Returns an edge with the port on which applications reach the unit. */
function listeners({ name, members }: Unit, project: string): Edge[] {
  const [first] = members;
  const own = `${first.name}.${project}`;
  const text = (first.env ?? []).join("\n");
  const [, port] = new RegExp(`${own.replaceAll(".", "\\.")}:(\\d+)`).exec(text) ?? [];
  const reached = port ?? (text.includes(own) ? OPENSEARCH_HTTP_PORT : undefined);
  return reached === undefined ? [] : [{ from: PROJECT, to: name, label: `${name}:${reached}` }];
}

/** Returns an edge to each unit that this unit's variables and files name with a port. */
function connections(unit: Unit, units: readonly Unit[]): Edge[] {
  const text = JSON.stringify(unit.members.map(({ env, upload }) => [env, upload]));
  return units
    .filter(({ name }) => name !== unit.name)
    .flatMap(({ name, members }) => {
      const hosts = [name, ...members.map((body) => body.name)].join("|");
      const ports = [...text.matchAll(new RegExp(`\\b(?:${hosts})\\.\\w+:(\\d+)`, "g"))].map(
        ([, port]) => port,
      );
      return ports.length > 0
        ? [{ from: unit.name, to: name, label: [...new Set(ports)].join(", ") }]
        : [];
    });
}

function readsEngine({ members }: Unit): boolean {
  return members.some(({ volumes = [] }) =>
    volumes.some(({ container_path }) => container_path.endsWith("docker.sock")),
  );
}

/** Returns the startup order: a sidecar starts when its dependencies are healthy. */
function orderOf(unit: Unit, units: readonly Unit[]): Edge[] {
  const text = unit.members.flatMap(({ depends_on = [] }) => depends_on).join(" ");
  return units
    .filter(({ name, members }) => members.some((body) => text.includes(`${name}_${body.name}_`)))
    .map(({ name }) => ({ from: name, to: unit.name, label: "when healthy", order: true }));
}

/** Groups the units by network, in the order of the stacks. */
function byNetwork(units: readonly Unit[]): [string, Unit[]][] {
  const networks = [...new Set(units.map(({ network }) => network))];
  return networks.map((name) => [name, units.filter(({ network }) => network === name)]);
}

/** Renders the diagram as Mermaid, which GitHub shows inside Markdown. */
export function toMermaid(environment: Environment, { units, edges }: Picture): string {
  const id = (name: string) => name.replaceAll("-", "_");
  const lines = ["flowchart LR"];
  for (const [name, title] of outside(environment)) {
    lines.push(`  ${name}(["${title}"])`);
  }
  for (const [network, members] of byNetwork(units)) {
    lines.push(`  subgraph ${network}`);
    for (const { name, members: nodes, oneShot } of members) {
      if (nodes.length > 1) {
        const row = nodes.map((body) => `${id(body.name)}["${titleOf(body)}"]`).join(" ~~~ ");
        lines.push(`    subgraph ${id(name)}["${name}"]`, `      ${row}`, "    end");
      } else {
        const title = titleOf(nodes[0]);
        lines.push(`    ${id(name)}${oneShot ? `(["${title}, once"])` : `["${title}"]`}`);
      }
    }
    lines.push("  end");
  }
  for (const { from, to, label, order } of edges) {
    lines.push(`  ${id(from)} ${order ? `-. "${label}" .->` : `-->|"${label}"|`} ${id(to)}`);
  }
  for (const { name, volumes } of units) {
    if (volumes) {
      lines.push(`  ${id(name)} --- ${id(name)}_data[("${volumes}")]`);
    }
  }
  return lines.join("\n");
}
