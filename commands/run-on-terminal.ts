import execa, { type ExecaChildProcess, type ExecaError } from "execa";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { CommandError } from "../operations/terminal/terminal";

/** Runs programs of the project one after the other on this terminal, until one fails, whose exit code this process takes over. */
export async function runOnTerminal(
  ...commands: readonly (readonly [string, ...string[]])[]
): Promise<void> {
  let child: ExecaChildProcess | undefined;
  // Ctrl-C reaches the program as well, which decides what that means, and this one waits.
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
