import type { Construct } from "constructs";
import { type INetwork, Network } from "../constructs";
import type { Environment, NetworkSettings } from "../environments";
import { machineOf, machinesOf } from "./placement";
import { DockerStack } from "./platform-stack";
import { declareGeneration, securityOf } from "./security";

/** VXLAN IDs of encrypted networks. The engine assigns its own IDs from 4097 upwards. */
const VXLAN_IDS = { infra: 1_000_001, project: 1_000_002 } as const;

/**
 * The Docker networks. `infra_net` is for the services, `project_net` for applications. A secured platform also has `engine_net`, for the
 * services that may read the engine. With ports published on several machines, `host_net` leads to them: an overlay network cannot be
 * reached from its own machine.
 */
export class NetworkStack extends DockerStack {
  readonly infra: INetwork;
  readonly project: INetwork;
  /** The `engine_net` of each machine; empty if the platform is not secured. */
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
    // In this stack, since a deploy begins with it, and npm run down removes it with all that uses the secrets.
    declareGeneration(this, environment);
  }

  /** Returns the network that publishes a container's ports, or `undefined` if `infra` does. */
  hostOf(container: string): INetwork | undefined {
    return this.hosts.get(machineOf(this.environment, container)?.name ?? "");
  }
}
