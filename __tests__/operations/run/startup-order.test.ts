import { startupOrder } from "../../../operations/run/startup-order";
import type { SynthesizedResource } from "../../../operations/synthesis/resources";

/** A plan for a cluster of three nodes and its sidecar. */
function plan(cluster: string, action: string | undefined) {
  const container = (id: string, labels: string[]): SynthesizedResource => ({
    stack: cluster,
    type: "docker_container",
    id,
    body: { labels: labels.map((label) => ({ label, value: cluster })) },
  });
  const nodes = [1, 2, 3].map((i) => container(`${cluster}-${i}`, ["groundwork.cluster"]));
  const resources = [...nodes, container(`${cluster}-init`, ["groundwork.role"])];
  const actions = new Map(action ? resources.map(({ type, id }) => [`${type}.${id}`, action]) : []);
  return { stack: { resources }, actions };
}

describe("clusters that start together", () => {
  const [data, messaging] = [plan("opensearch", "create"), plan("kafka", "create")];

  test("do so one at a time if they have more nodes than the engine has CPUs", () => {
    expect(startupOrder([data, messaging], 2)).toEqual([data, messaging]);
    expect(startupOrder([data, messaging], 5)).toEqual([data, messaging]);
    expect(startupOrder([data, messaging], 6)).toEqual([]);
  });

  test("do not wait for a cluster that starts no nodes", () => {
    for (const action of ["replace", "update", undefined]) {
      expect(startupOrder([data, plan("kafka", action)], 2)).toEqual([]);
    }
  });
});
