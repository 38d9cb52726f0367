import { homedir } from "node:os";
import type { Environment, Machine } from "../../environments";
import { validateMachines } from "../../environments/validate";
import { lab, labThree } from "../../lab/environments";
import {
  enginesOf,
  includedNodesOf,
  isExcluded,
  machineOf,
  withEngine,
} from "../../stacks/placement";
import { container, envOf, type Json, resources, synthesize } from "../support/platform";

const [a, b, c] = labThree.machines as [Machine, Machine, Machine];
const d: Machine = { name: "d", engine: "ssh://ops@d", address: "10.0.0.4" };
const CONTAINERS = [
  ...["kafka-1", "kafka-2", "kafka-3", "opensearch-1", "opensearch-2", "opensearch-3"],
  ...["kafka-init", "os-init", "prometheus", "exit-relay-a", "exit-relay-b", "engine-proxy-c"],
];

describe("a platform on three machines", () => {
  const { stacks } = synthesize(labThree);
  const label = ({ labels }: Json) =>
    labels.find((one: Json) => one.label === "groundwork.machine")?.value;

  test("has node i of each cluster on machine i, monitoring on every machine, and the rest on the first", () => {
    expect(CONTAINERS.map((name) => machineOf(labThree, name)?.name).join("")).toBe("abcabcaaaabc");
  });

  test("declares each container and its volume in the stack of its machine, with a label", () => {
    for (const { name } of resources(stacks, "docker_container")) {
      const [[stack, { resource }]] = Object.entries(stacks).filter(([, { resource: all = {} }]) =>
        Object.values<Json>(all.docker_container ?? {}).some((body) => body.name === name),
      );
      const machine = machineOf(labThree, name)?.name;
      if (/-init$/.test(name)) {
        // A sidecar belongs to the cluster and is deployed after all of its nodes.
        expect([name, stack]).toEqual([name, expect.stringMatching(/-(data|messaging)$/)]);
      } else {
        expect([name, stack.split("-").at(-1)]).toEqual([name, machine]);
        expect([name, label(container(stacks, name))]).toEqual([name, machine]);
      }
      expect(Object.keys(resource)).not.toContain("docker_volume");
    }
    for (const { name } of resources(stacks, "docker_volume")) {
      const machine = machineOf(labThree, name.replace(/-data$/, ""))?.name;
      const bodies = Object.values<Json>(
        stacks[`lab-three-storage-${machine}`].resource.docker_volume,
      );
      expect(bodies.map((body) => body.name)).toContain(name);
    }
  });

  test("configures rack awareness, so that replicas are on different machines", () => {
    for (const [i, { name }] of [a, b, c].entries()) {
      expect(envOf(container(stacks, `kafka-${i + 1}`)).KAFKA_BROKER_RACK).toBe(name);
      expect(envOf(container(stacks, `opensearch-${i + 1}`))).toMatchObject({
        "node.attr.machine": name,
        "cluster.routing.allocation.awareness.attributes": "machine",
      });
    }
  });

  test("has overlay networks and, if it is secured, a bridge for the engine proxy on each machine", () => {
    const networks = (environment: Environment) =>
      resources(synthesize(environment).stacks, "docker_network")
        .map((body) => [body.name, body.driver, body.attachable])
        .sort();
    const over = ["infra_net", "project_net"].map((name) => [name, "overlay", true]);
    expect(networks(labThree)).toEqual(over);
    expect(networks({ ...labThree, security: "tls" })).toEqual([
      ...[a, b, c].map(() => ["engine_net", "bridge", undefined]),
      ...over,
    ]);
  });
});

test("overlay networks are encrypted on request, with fixed VXLAN IDs, so that plans stay empty", () => {
  const { stacks } = synthesize({
    ...labThree,
    networks: { ...labThree.networks, encrypted: true },
  });
  const options = resources(stacks, "docker_network").map((body) => [body.name, body.options]);
  expect(Object.fromEntries(options)).toMatchObject({
    infra_net: { encrypted: "", "com.docker.network.driver.overlay.vxlanid_list": "1000001" },
    project_net: { encrypted: "", "com.docker.network.driver.overlay.vxlanid_list": "1000002" },
  });
});

test("ports are published through a bridge on each machine, which services listen on by name", () => {
  const { stacks } = synthesize({ ...labThree, hostPorts: lab.hostPorts });
  for (const [i, { name }] of [a, b, c].entries()) {
    expect(
      Object.values<Json>(stacks[`lab-three-network-${name}`].resource.docker_network).map(
        ({ name: network, driver }) => [network, driver],
      ),
    ).toContainEqual(["host_net", "bridge"]);
    const broker = container(stacks, `kafka-${i + 1}`);
    const node = container(stacks, `opensearch-${i + 1}`);
    for (const body of [broker, node]) {
      expect(body.networks_advanced.map((network: Json) => network.name)).toEqual([
        "host_net",
        "infra_net",
        "project_net",
      ]);
    }
    expect([...broker.ports, ...node.ports]).toEqual([
      { internal: 29092, external: 9092 + i, ip: "127.0.0.1" },
      { internal: 9200, external: 9200 + i, ip: "127.0.0.1" },
    ]);
    expect(envOf(broker).KAFKA_LISTENERS).toContain(`HOST://kafka-${i + 1}.host_net:29092`);
    expect(envOf(broker).KAFKA_ADVERTISED_LISTENERS).toContain(`HOST://localhost:${9092 + i}`);
    expect(envOf(node)["http.host"]).toContain(`opensearch-${i + 1}.host_net`);
  }
});

test("more nodes than machines start again at the first machine, and placement overrides that", () => {
  const wide: Environment = {
    ...labThree,
    kafka: { brokers: 5 },
    placement: { prometheus: "b", "kafka-2": "c" },
  };
  const brokers = [1, 2, 3, 4, 5].map((i) => machineOf(wide, `kafka-${i}`)?.name);
  expect(brokers.join("")).toBe("accab");
  expect(machineOf(wide, "prometheus")).toBe(b);
  expect(machineOf(wide, "grafana")).toBe(a);
});

test("the certificates of a node are on its machine, and cannot be placed", () => {
  const secured: Environment = { ...labThree, security: "tls" };
  const { stacks } = synthesize(secured);
  const copied = resources(stacks, "docker_container").filter(({ name }) =>
    name.endsWith("-certificates"),
  );
  expect(copied).toHaveLength(6);
  for (const { name } of copied) {
    const machine = machineOf(secured, name.replace(/-certificates$/, ""))?.name;
    expect([name, machineOf(secured, name)?.name]).toEqual([name, machine]);
    for (const type of ["docker_container", "docker_volume"]) {
      const [[stack]] = Object.entries(stacks).filter(([, { resource = {} }]) =>
        Object.values<Json>(resource[type] ?? {}).some((body) => body.name === name),
      );
      expect([name, stack]).toEqual([
        name,
        expect.stringMatching(new RegExp(`-(data|messaging)-${machine}$`)),
      ]);
    }
  }
  expect(() => synthesize({ ...secured, placement: { "kafka-1-certificates": "b" } })).toThrow(
    'places an unknown container "kafka-1-certificates"',
  );
});

describe("with an excluded machine", () => {
  const excluding = (...names: string[]): Environment => ({
    ...labThree,
    excludedMachines: names,
  });

  test("nodes and data stay in place, and sidecars and networks use another machine", () => {
    const withoutA = excluding("a");
    expect(CONTAINERS.map((name) => machineOf(withoutA, name)?.name).join("")).toBe("abcabcbbaabc");
    expect(enginesOf(withoutA)).toEqual([{ host: b.engine }, { host: c.engine }]);
    expect(isExcluded(withoutA, "kafka-1")).toBe(true);
    expect(isExcluded(withoutA, "kafka-init")).toBe(false);
    expect(includedNodesOf(withoutA, "opensearch")[0]).toBe("opensearch-2");
    const { stacks } = synthesize(withoutA);
    for (const layer of ["network", "data", "messaging"]) {
      expect(stacks[`lab-three-${layer}`].provider.docker).toEqual([{ host: b.engine }]);
    }
  });

  test("containers of other machines stay the same, and sidecars wait for the remaining nodes", () => {
    const [{ stacks: whole }, { stacks }] = [synthesize(labThree), synthesize(excluding("c"))];
    const changed = resources(whole, "docker_container")
      .filter((body) => JSON.stringify(body) !== JSON.stringify(container(stacks, body.name)))
      .map(({ name }) => name);
    expect(changed.sort()).toEqual(["kafka-init", "os-init"]);
    expect(envOf(container(stacks, "kafka-init")).KAFKA_BROKERS).toBe("2");
    expect(envOf(container(stacks, "os-init")).OPENSEARCH_NODES).toBe("2");
  });

  test.each([
    [
      excluding("d"),
      'environment "lab-three" cannot exclude machine "d": its machines are a, b, c',
    ],
    [
      excluding("a", "b"),
      'environment "lab-three" cannot exclude a and b of 3 machines: the clusters need more than half of their machines; exclude fewer',
    ],
    [
      { ...lab, excludedMachines: ["a"] },
      'environment "lab" cannot exclude machine "a": it has no machines; exclude machines only where several are declared',
    ],
  ])("excluding too many or unknown machines is rejected", (environment, message) => {
    expect(() => validateMachines(environment)).toThrow(message);
  });

  test("excluding half of a cluster's nodes or more is rejected", () => {
    expect(() => synthesize({ ...excluding("c"), placement: { "kafka-2": "c" } })).toThrow(
      'environment "lab-three" cannot exclude machine c: kafka-2, kafka-3 of 3 controllers would be missing, and kafka needs more than half of them; correct placement',
    );
  });
});

test("a container has no machine in an environment without machines", () => {
  expect(machineOf(lab, "kafka-2")).toBeUndefined();
});

test.each<[string, Partial<Environment>, string]>([
  [
    "one machine",
    { machines: [a] },
    'environment "lab-three" has 1 machine (a): at least 3 are needed, since 2 lose their quorum if one fails; add machines, or remove the machines property to deploy to one',
  ],
  [
    "two",
    { machines: [a, b] },
    'environment "lab-three" has 2 machines (a, b): at least 3 are needed, since 2 lose their quorum if one fails; add machines, or remove the machines property to deploy to one',
  ],
  [
    "a name with a hyphen",
    { machines: [a, b, { ...c, name: "host-c" }] },
    'a machine of environment "lab-three" is named "host-c": allowed are lowercase letters and digits',
  ],
  [
    "an engine without a URL",
    { machines: [a, b, { ...c, engine: "host-c" }] },
    'the engine of machine "c" is "host-c": allowed are ssh://user@host, tcp://host:2376 with TLS, and unix:///path',
  ],
  [
    "a host name as address",
    { machines: [a, b, { ...c, address: "host-c" }] },
    'the address of machine "c" is "host-c": it must be the IP address at which the other machines reach it',
  ],
  [
    "the same engine twice",
    { machines: [a, b, { ...c, engine: a.engine }] },
    `two machines of environment "lab-three" have the engine "${a.engine}": give each machine its own`,
  ],
  [
    "the same name twice",
    { machines: [a, b, c, { ...d, name: "b" }] },
    'two machines of environment "lab-three" have the name "b": give each machine its own',
  ],
  [
    "a placement on an unknown machine",
    { placement: { grafana: "d" } },
    'environment "lab-three" places grafana on machine "d": its machines are a, b, c',
  ],
  [
    "placement without machines",
    { machines: undefined, placement: { grafana: "d" } },
    'environment "lab-three" sets placement for grafana but has no machines: declare machines, or remove placement',
  ],
  [
    "encryption without machines",
    { machines: undefined, networks: { ...labThree.networks, encrypted: true } },
    'environment "lab-three" sets networks.encrypted but has no machines: there is no traffic between machines to encrypt; remove networks.encrypted',
  ],
])("%s is rejected with what is allowed", (_, changes, message) => {
  expect(() => validateMachines({ ...labThree, ...changes })).toThrow(message);
});

test("placement of an unknown container is rejected, of an excluded service is not", () => {
  expect(() => synthesize({ ...labThree, placement: { prometeus: "b" } })).toThrow(
    /^environment "lab-three" places an unknown container "prometeus": did you mean "prometheus"\? allowed: .*kafka-3/,
  );
  expect(() => synthesize({ ...labThree, placement: { grafana: "b" } })).not.toThrow();
});

test("four machines are allowed", () => {
  expect(() => validateMachines({ ...labThree, machines: [a, b, c, d] })).not.toThrow();
});

test("the containers that monitor others mount the socket of the current engine", () => {
  const at = (host?: string, environment: Environment = lab) =>
    withEngine(environment, host === undefined ? host : { host }).engineSocket;
  expect(at("unix:///run/user/1000/docker.sock")).toBe("/run/user/1000/docker.sock");
  expect(at()).toBeUndefined();
  expect(at("ssh://ops@engine")).toBeUndefined();
  // A socket in the home directory leads into a virtual machine.
  expect(at(`unix://${homedir()}/.docker/run/docker.sock`)).toBeUndefined();
  expect(at("unix:///run/user/1000/docker.sock", labThree)).toBeUndefined();
  const named = { ...lab, engineSocket: "/run/user/1001/docker.sock" };
  expect(at("ssh://ops@engine", named)).toBe("/run/user/1001/docker.sock");
  const { stacks } = synthesize(named);
  expect(container(stacks, "exit-relay").volumes).toEqual([
    { container_path: "/run/docker.sock", host_path: named.engineSocket, read_only: true },
  ]);
});
