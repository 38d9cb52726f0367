import type { Staged } from "../../operations/progress/progress";
import type { Message } from "../../operations/terraform/messages";

export const KAFKA_1 = "docker_container.kafka_kafka-1_D26A9404";
export const OS_INIT = "docker_container.os-init_Sidecar_Container_CD6CC216";
export const VOLUME = "docker_volume.kafka-1_1A";

/** Returns a stack with resources by address and name. */
export function stack(layer: string, names: Record<string, string>): Staged {
  return {
    layer,
    resources: Object.entries(names).map(([address, name]) => {
      const [type, id] = address.split(".");
      return { stack: `lab-${layer}`, type, id, body: { name } };
    }),
  };
}

export const MESSAGING = stack("messaging", { [KAFKA_1]: "kafka-1", [VOLUME]: "kafka-1-data" });
export const DATA = stack("data", { [OS_INIT]: "os-init" });

export const begin = (address: string, doing: "creating" | "destroying" = "creating"): Message => ({
  kind: "begin",
  address,
  doing,
});
export const end = (address: string): Message => ({ kind: "end", address });
export const applied = (creating: number, destroying = 0): Message => ({
  kind: "applied",
  counts: { creating, changing: 0, destroying },
});
