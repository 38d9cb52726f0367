import { knownEnvironments } from "../../operations/synthesis/environment";
import { type Json, synthesize } from "../support/platform";

test("an environment can exclude Alloy, Loki and Grafana, which also removes alerting", () => {
  const { stacks: lab } = synthesize(knownEnvironments.lab);
  expect(Object.keys(lab)).toEqual([
    "lab-network",
    "lab-storage",
    "lab-data",
    "lab-messaging",
    "lab-observability",
  ]);
  const names = Object.values<Json>(lab["lab-observability"].resource.docker_container).map(
    ({ name }) => name,
  );
  expect(names).toEqual(["exit-relay", "prometheus"]);
});
