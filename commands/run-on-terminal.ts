import execa, { type ExecaChildProcess, type ExecaError } from "execa";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { CommandError } from "../operations/terminal/terminal";

/** Runs programs one at a time on this terminal. Stops at the first that fails and uses its exit code. */
export async function runOnTerminal(
  ...commands: readonly (readonly [string, ...string[]])[]
): Promise<void> {
  let child: ExecaChildProcess | undefined;
  // Ctrl-C also reaches the program, which decides what to do. This process waits for it.
  const wait = () => undefined;
  const passOn = () => child?.kill("SIGTERM", { forceKillAfterTimeout: false });
  process.on("SIGINT", wait).on("SIGTERM", passOn);
  try {
    for (const [command, ...args] of commands) {
      child = execa(command, args, {
        cwd: PROJECT_ROOT,
        localDir: PROJECT_ROOT,
        preferLocal: true,
        stdio: "inherit",
      });
      await child;
    }
  } catch (error) {
    const { exitCode, shortMessage } = error as ExecaError;
    if (exitCode === undefined) {
      throw new CommandError(shortMessage);
    }
    process.exitCode = exitCode;
  } finally {
    process.off("SIGINT", wait).off("SIGTERM", passOn);
  }
}
