import type { Construct } from "constructs";
import { type INetwork, Network } from "../constructs";
import type { Environment, NetworkSettings } from "../environments";
import { machineOf, machinesOf } from "./placement";
import { DockerStack } from "./platform-stack";
import { securityOf } from "./security";

/** Of encrypted networks. The engine gives its own from 4097 upwards. */
const VXLAN_IDS = { infra: 1_000_001, project: 1_000_002 } as const;

/**
 * `infra_net` for the services themselves, `project_net` for the applications that use them, where the platform is secured, `engine_net` for
 * those few that may read the engine; `host_net` where ports are published on several machines, since an overlay network has no way in from its machine.
 */
export class NetworkStack extends DockerStack {
  readonly infra: INetwork;
  readonly project: INetwork;
  /** Of each machine, where the platform is secured. */
  readonly engines: readonly INetwork[];
  private readonly hosts: ReadonlyMap<string, INetwork>;

  constructor(scope: Construct, layer: string, environment: Environment) {
    super(scope, layer, environment);
    const overlay = environment.machines !== undefined;
    const network = (id: keyof typeof VXLAN_IDS, { name, adopt }: NetworkSettings) =>
      adopt
        ? Network.fromName(this, id, name)
        : new Network(this, id, {
            name,
            overlay,
            encryptedVxlanId: environment.networks.encrypted ? VXLAN_IDS[id] : undefined,
          });
    this.infra = network("infra", environment.networks.infra);
    this.project = network("project", environment.networks.project);
    this.engines = securityOf(environment)
      ? machinesOf(environment).map(
          (machine) =>
            new Network(this.on(machine), "engine", { name: "engine_net", internal: true }),
        )
      : [];
    const publishing = (environment.hostPorts && environment.machines) ?? [];
    this.hosts = new Map(
      publishing.map((machine) => [
        machine.name,
        new Network(this.on(machine), "host", { name: "host_net" }),
      ]),
    );
  }

  /** What the ports of a container are published through; nothing where `infra` does that. */
  hostOf(container: string): INetwork | undefined {
    return this.hosts.get(machineOf(this.environment, container)?.name ?? "");
  }
}
