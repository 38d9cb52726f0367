import { TerraformStack, Testing } from "cdktf";
import { DataVolume, Network } from "../../constructs";

export function testStack(): TerraformStack {
  return new TerraformStack(Testing.app(), "test");
}

export function networks(scope: TerraformStack) {
  return {
    infraNetwork: new Network(scope, "infra", { name: "infra_net" }),
    projectNetwork: new Network(scope, "project", { name: "project_net" }),
  };
}

export function nodes(scope: TerraformStack, count: number) {
  return Array.from({ length: count }, (_, i) => ({
    dataVolume: new DataVolume(scope, `volume-${i}`, { name: `data-${i}` }),
  }));
}
