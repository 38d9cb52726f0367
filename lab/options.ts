import { CommandError } from "../operations/terminal/terminal";
import { lab, labSecured, labThree, labThreeSecured } from "./environments";
import type { LabEngine, LabOptions } from "./prepare";

/** The options of `npm run lab`. */
export interface LabFlags {
  readonly fresh: boolean;
  readonly yes: boolean;
  readonly secured: boolean;
  /** Whether to prepare the lab without deploying. */
  readonly prepare: boolean;
  readonly machines?: string;
  readonly engine?: LabEngine;
}

/** Returns the lab that the options select. Throws if no lab has that number of machines, or not with that engine. */
export function labOptionsOf({
  fresh,
  yes,
  secured,
  machines,
  engine,
}: Omit<LabFlags, "prepare">): LabOptions & Required<Pick<LabOptions, "environment">> {
  if (machines !== undefined && machines !== "3") {
    throw new CommandError(
      `--machines is "${machines}": only 3 is allowed (environment ${labThree.name})`,
    );
  }
  if (engine !== undefined && machines !== undefined) {
    throw new CommandError(
      "--engine and --machines cannot be combined: several machines always run this machine's own dockerd. Omit one of them",
    );
  }
  const [plaintext, withTls] = machines ? [labThree, labThreeSecured] : [lab, labSecured];
  return { fresh, yes, environment: secured ? withTls : plaintext, engine };
}
