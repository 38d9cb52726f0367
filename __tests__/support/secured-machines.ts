import { labThreeSecured } from "../../lab/environments";
import { stopMachines } from "../../lab/prepare";
import { Visitors } from "./authorization-matrix";
import { expectDone, type Finished, freshLab } from "./lab";
import { SecuredProject } from "./secured";

/** Deploys a secured platform on three machines, with visitors on the machine without the init sidecars. */
export class SecuredMachines {
  private constructor(
    readonly project: SecuredProject,
    readonly deployed: Finished,
    readonly visitors: Visitors,
  ) {}

  static async deploy(): Promise<SecuredMachines> {
    await freshLab(labThreeSecured);
    const project = new SecuredProject(labThreeSecured);
    const deployed = project.command("up");
    expectDone(deployed);
    const [, , { engine }] = labThreeSecured.machines;
    const visitors = await Visitors.enter(project, labThreeSecured, engine);
    return new SecuredMachines(project, deployed, visitors);
  }

  async remove(): Promise<void> {
    this.visitors.remove();
    this.project.remove();
    await stopMachines();
  }
}
