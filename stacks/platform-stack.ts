import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { applyServiceSettings, useDockerProvider } from "../constructs";
import type { Environment, Machine } from "../environments";
import { includedMachinesOf, machineOf } from "./placement";
import { declareBackend } from "./state-backend";

/**
 * Base class of all stacks, with the state backend and the environment's settings. The environment is part of the stack's name, so that
 * environments never share a Terraform working folder. So is the machine, if the stack belongs to one.
 */
export class PlatformStack extends TerraformStack {
  constructor(scope: Construct, layer: string, environment: Environment, machine?: Machine) {
    const place = machine ? `${layer}-${machine.name}` : layer;
    super(scope, `${environment.name}-${place}`);
    applyServiceSettings(this, {
      environment: environment.name,
      stack: layer,
      machine: machine?.name,
      // Resources of no particular machine are created through the first one.
      engine: (machine ?? includedMachinesOf(environment)[0])?.engine,
      engineSocket: environment.engineSocket,
      memoryScale: environment.memoryScale,
    });
    declareBackend(this, environment, place);
  }
}

/** A stack of containers, networks or volumes: those of one machine, or those that belong to no particular machine. */
export class DockerStack extends PlatformStack {
  private readonly ofMachines = new Map<string, DockerStack>();

  constructor(
    private readonly app: Construct,
    private readonly layer: string,
    protected readonly environment: Environment,
    machine?: Machine,
  ) {
    super(app, layer, environment, machine);
    useDockerProvider(this);
  }

  /**
   * Returns this layer's stack for a machine, or this stack if there is no machine. With one stack each, an unavailable machine does not
   * block the others. This stack is deployed after all of them.
   */
  on(machine: Machine | undefined): DockerStack {
    if (!machine) {
      return this;
    }
    const known = this.ofMachines.get(machine.name);
    if (known) {
      return known;
    }
    const stack = new DockerStack(this.app, this.layer, this.environment, machine);
    this.ofMachines.set(machine.name, stack);
    this.addDependency(stack);
    return stack;
  }

  /** Makes this stack depend on the others, and returns it. */
  after(...others: readonly TerraformStack[]): this {
    for (const other of others) {
      this.addDependency(other);
    }
    return this;
  }

  /** Returns the stack of a container and of the resources that belong to it. */
  of(container: string): DockerStack {
    return this.on(machineOf(this.environment, container));
  }
}
