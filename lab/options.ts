import { CommandError } from "../operations/terminal/terminal";
import { lab, labSecured, labThree, labThreeSecured } from "./environments";
import type { LabEngine, LabOptions } from "./prepare";

/** As on the command line. */
export interface LabFlags {
  readonly fresh: boolean;
  readonly yes: boolean;
  readonly secured: boolean;
  /** Whether nothing is to be deployed. */
  readonly prepare: boolean;
  readonly machines?: string;
  readonly engine?: LabEngine;
}

/** Which lab that is. Throws if there is none with that many machines, or not with that engine. */
export function labOptionsOf({
  fresh,
  yes,
  secured,
  machines,
  engine,
}: Omit<LabFlags, "prepare">): LabOptions & Required<Pick<LabOptions, "environment">> {
  if (machines !== undefined && machines !== "3") {
    throw new CommandError(
      `--machines is "${machines}": 3 is allowed, for environment ${labThree.name}`,
    );
  }
  if (engine !== undefined && machines !== undefined) {
    throw new CommandError(
      "--engine and --machines are for one lab each: machines have this machine's own engine, leave one of the two out",
    );
  }
  const [open, withTls] = machines ? [labThree, labThreeSecured] : [lab, labSecured];
  return { fresh, yes, environment: secured ? withTls : open, engine };
}
