import { parseArgs } from "node:util";
import { lab } from "../environments/lab";
import { labSecured } from "../environments/lab-secured";
import { labThree } from "../environments/lab-three";
import { labThreeSecured } from "../environments/lab-three-secured";
import { CommandError, optionsOrError } from "../operations/terminal/terminal";
import { LAB_ENGINES, type LabOptions } from "./prepare";

const OPTIONS = {
  fresh: { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  secured: { type: "boolean", default: false },
  prepare: { type: "boolean", default: false },
  machines: { type: "string" },
  engine: { type: "string" },
} as const;

/** What the command line asks of the lab, or an error that says what is allowed. */
export function parseLabOptions(): Required<Pick<LabOptions, "environment">> &
  LabOptions & {
    /** Whether nothing is to be deployed. */
    readonly prepare: boolean;
  } {
  const { fresh, yes, secured, machines, engine, prepare } = optionsOrError(
    Object.keys(OPTIONS),
    () => parseArgs({ options: OPTIONS }).values,
  );
  if (machines !== undefined && machines !== "3") {
    throw new CommandError(
      `--machines is "${machines}": 3 is allowed, for environment ${labThree.name}`,
    );
  }
  const known = LAB_ENGINES.find((name) => name === engine);
  if (engine !== undefined && !known) {
    throw new CommandError(`--engine is "${engine}": allowed are ${LAB_ENGINES.join(", ")}`);
  }
  if (engine !== undefined && machines !== undefined) {
    throw new CommandError(
      "--engine and --machines are for one lab each: machines have this machine's own engine, leave one of the two out",
    );
  }
  const [open, locked] = machines ? [labThree, labThreeSecured] : [lab, labSecured];
  return { fresh, yes, prepare, environment: secured ? locked : open, engine: known };
}
