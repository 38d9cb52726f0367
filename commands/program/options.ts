import { Option } from "@commander-js/extra-typings";

/** The option of commands that replace nodes. */
export const atOnce = () =>
  new Option(
    "--at-once",
    "replace all nodes of a cluster at once; the cluster is down meanwhile",
  ).default(false);

/** Parses names that are separated by commas. An option that is given twice adds to them. */
export const names = (text: string, before: readonly string[] = []) => [
  ...before,
  ...text.split(",").map((name) => name.trim()),
];

/** The option of commands that deploy while a machine is unavailable. */
export const excludeMachine = () =>
  new Option(
    "--exclude-machine <machines>",
    "unavailable machines to skip, separated by commas (default: none)",
  );

/** Of every command that locks its environment. */
export const forceUnlock = () =>
  new Option(
    "--force-unlock",
    "take the lock of a command that does not run any more, after a confirmation",
  ).default(false);
