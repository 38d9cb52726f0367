import { Testing } from "cdktf";
import { OpenSearchCluster } from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { knownEnvironments } from "../../../operations/synthesis/environment";
import { container, envOf, type Json, synthesize } from "../../support/platform";
import { networks, nodes, testStack } from "../../support/stack";

describe("an OpenSearch cluster", () => {
  test("keeps its transport on the infra network, and HTTP off the project network unless asked", () => {
    const laptopNode = envOf(container(synthesize(laptop).stacks, "opensearch-1"));
    expect(laptopNode["transport.host"]).toBe("opensearch-1.infra_net");
    expect(laptopNode["http.host"]).toBe("_local_,opensearch-1.infra_net,opensearch-1.project_net");
    const production = container(synthesize(knownEnvironments.production).stacks, "opensearch-1");
    expect(envOf(production)["http.host"]).toBe("_local_,opensearch-1.infra_net");
    expect(production.networks_advanced).toEqual([
      { name: "infra_net", aliases: ["opensearch", "opensearch-1.infra-net"] },
    ]);
  });

  test("raises the limits of open files and locked memory unless the machine refuses", () => {
    const raised = container(synthesize(laptop).stacks, "opensearch-1");
    expect(raised.ulimit).toEqual([
      { name: "memlock", soft: -1, hard: -1 },
      { name: "nofile", soft: 65536, hard: 65536 },
    ]);
    expect(envOf(raised)["bootstrap.memory_lock"]).toBe("true");
    const inherited = container(synthesize(knownEnvironments.lab).stacks, "opensearch-1");
    expect(inherited.ulimit).toBeUndefined();
    expect(envOf(inherited)["bootstrap.memory_lock"]).toBe("false");
  });

  test("needs nothing but a stack", () => {
    const scope = testStack();
    const cluster = new OpenSearchCluster(scope, "OpenSearch", { nodeCount: 1 });
    expect(cluster.infraNetwork.name).toBe("opensearch-infra");
    const { resource } = JSON.parse(Testing.synth(scope));
    const [node] = Object.values<Json>(resource.docker_container);
    expect(node.volumes).toEqual([
      { container_path: "/usr/share/opensearch/data", volume_name: "opensearch-1-data" },
    ]);
    expect(node.depends_on).toHaveLength(2);
  });

  test("tells a node the same however many nodes join after the first three, which alone are eligible as cluster manager", () => {
    const nodesOf = (count: number) => {
      const { stacks } = synthesize({
        ...laptop,
        openSearch: { ...laptop.openSearch, nodes: count },
      });
      const made = Array.from({ length: count }, (_, i) =>
        container(stacks, `opensearch-${i + 1}`),
      );
      return made.map((node) => ({ env: envOf(node), healthcheck: node.healthcheck }));
    };
    const five = nodesOf(5);
    expect(five.slice(0, 3)).toEqual(nodesOf(3));
    expect(five.map(({ env }) => env["node.roles"])).toEqual([
      ...[undefined, undefined, undefined],
      ...["data,ingest,remote_cluster_client", "data,ingest,remote_cluster_client"],
    ]);
    for (const { env, healthcheck } of five) {
      expect(env["discovery.seed_hosts"]).toBe(
        "opensearch-1.infra_net,opensearch-2.infra_net,opensearch-3.infra_net",
      );
      expect(healthcheck.test.join(" ")).toContain("wait_for_nodes=%3E%3D3&");
    }
  });

  test("is founded by the first node, so that no others found a second one", () => {
    const founders = (count: number) => {
      const { stacks } = synthesize({
        ...laptop,
        openSearch: { ...laptop.openSearch, nodes: count },
      });
      return Array.from(
        { length: count },
        (_, i) =>
          envOf(container(stacks, `opensearch-${i + 1}`))["cluster.initial_cluster_manager_nodes"],
      );
    };
    const all = "opensearch-1,opensearch-2,opensearch-3";
    expect(founders(5)).toEqual([all, undefined, undefined, undefined, undefined]);
    expect(founders(1)).toEqual(["opensearch-1"]);
  });

  test("fails with two nodes", () => {
    const scope = testStack();
    expect(
      () => new OpenSearchCluster(scope, "os", { ...networks(scope), nodes: nodes(scope, 2) }),
    ).toThrow(
      "an OpenSearch cluster of 2 nodes cannot elect a cluster manager after it loses one: declare 1 node, or at least 3 (at test/os)",
    );
  });
});
