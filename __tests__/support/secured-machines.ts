import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labThreeSecured } from "../../lab/environments";
import { stopMachines } from "../../lab/prepare";
import { Visitors } from "./authorization-matrix";
import { expectDone, type Finished, freshLab } from "./lab";
import { Guest, SecuredProject } from "./secured";

/** A secured platform on three machines, and visitors on the one that has none of the init sidecars. */
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
    const { machines, networks } = labThreeSecured;
    const { engine } = machines[2];
    const guests = {
      project_net: new Guest("client", networks.project.name, engine),
      infra_net: new Guest("insider", networks.infra.name, engine),
    };
    const visitors = new Visitors(
      project,
      guests,
      mkdtempSync(join(tmpdir(), "groundwork-guests-")),
    );
    await visitors.putKeyPairs();
    return new SecuredMachines(project, deployed, visitors);
  }

  async remove(): Promise<void> {
    this.visitors.remove();
    this.project.remove();
    rmSync(this.visitors.folder, { recursive: true });
    await stopMachines();
  }
}
