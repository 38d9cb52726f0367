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

  test("has nodes that are not eligible as cluster manager after the first three, and tells no node how many there are", () => {
    const made = (nodeCount: number) => {
      const scope = testStack();
      new OpenSearchCluster(scope, "os", { ...networks(scope), nodeCount });
      const { resource } = JSON.parse(Testing.synth(scope));
      return Object.values<Json>(resource.docker_container).map(({ env, healthcheck }) => ({
        env: envOf({ env }),
        healthcheck,
      }));
    };
    const [three, five] = [made(3), made(5)];
    expect(five.slice(0, 3)).toEqual(three);
    expect(three.map(({ env }) => env["node.roles"])).toEqual([undefined, undefined, undefined]);
    for (const { env, healthcheck } of five.slice(3)) {
      expect(env["node.roles"]).toBe("data,ingest,remote_cluster_client");
      expect(env["cluster.initial_cluster_manager_nodes"]).toBe(
        "opensearch-1,opensearch-2,opensearch-3",
      );
      expect(healthcheck).toEqual(three[0].healthcheck);
    }
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
