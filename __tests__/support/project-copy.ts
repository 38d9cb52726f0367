import { rmSync } from "node:fs";
import { copyOfProject, editCopy } from "../../lab/bench/copy";
import { type Finished, run } from "./lab";

/** A copy of the project that tests change and deploy. */
export class ProjectCopy {
  readonly folder = copyOfProject();

  /** Runs a command in the copy, as the npm script does. */
  command(script: string, ...args: string[]): Finished {
    return run("node", ["commands/groundwork.mjs", script, ...args], {}, this.folder);
  }

  /** Changes a file of the copy. */
  edit(file: string, from: string, to: string): void {
    editCopy(this.folder, file, from, to);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Makes a copy for the tests of a file, and removes it after them. */
export function projectCopy(): ProjectCopy {
  const copy = new ProjectCopy();
  afterAll(() => copy.remove());
  return copy;
}
