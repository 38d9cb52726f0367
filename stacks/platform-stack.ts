import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { applyServiceSettings, useDockerProvider } from "../constructs";
import type { Environment, Machine } from "../environments";
import { includedMachinesOf, machineOf } from "./placement";
import { declareBackend } from "./state-backend";

/**
 * What all stacks share: the state's place and the environment's settings. A stack is named after its environment too, so that
 * Terraform's working folder of one is never taken for that of another, and after the machine that all of it is on.
 */
export class PlatformStack extends TerraformStack {
  constructor(scope: Construct, layer: string, environment: Environment, machine?: Machine) {
    const place = machine ? `${layer}-${machine.name}` : layer;
    super(scope, `${environment.name}-${place}`);
    applyServiceSettings(this, {
      environment: environment.name,
      stack: layer,
      machine: machine?.name,
      // What belongs to no machine is asked for at the first one.
      engine: (machine ?? includedMachinesOf(environment)[0])?.engine,
      engineSocket: environment.engineSocket,
      memoryScale: environment.memoryScale,
    });
    declareBackend(this, environment, place);
  }
}

/** A stack of containers, networks or volumes: those of one machine, or those that belong to none of several. */
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
   * The stack of what this layer has on a machine, so that one that is gone holds up nothing of the others; this one where there is but
   * one machine. This one comes after all of them.
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

  /** This stack, deployed after the others. */
  after(...others: readonly TerraformStack[]): this {
    for (const other of others) {
      this.addDependency(other);
    }
    return this;
  }

  /** The stack that a container is declared in, and what belongs to it alone. */
  of(container: string): DockerStack {
    return this.on(machineOf(this.environment, container));
  }
}
