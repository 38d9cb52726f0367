import { join } from "node:path";
import { ROOT } from "./root";

const PROGRAM = join(ROOT, "commands", "program", "program");

/** The output and exit code of a command. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line of the program in this process: a new process would load and compile everything again. */
export async function runHere(
  args: readonly string[],
  /** All environment variables of the command. */
  env: NodeJS.ProcessEnv = { ...process.env },
): Promise<Said> {
  const given = { ...process.env };
  const said = { stdout: "", stderr: "" };
  const to = (stream: keyof typeof said) => (text: unknown) => {
    said[stream] += `${text}\n`;
  };
  const spies = [
    jest.spyOn(console, "log").mockImplementation(to("stdout")),
    jest.spyOn(console, "warn").mockImplementation(to("stderr")),
    jest.spyOn(console, "error").mockImplementation(to("stderr")),
    jest.spyOn(process.stdout, "write").mockImplementation((text) => {
      said.stdout += text;
      return true;
    }),
  ];
  setVariables(env);
  const { exitCode } = process;
  process.exitCode = 0;
  try {
    // Fresh modules, as in a new process.
    await jest.isolateModulesAsync(() => require(PROGRAM).runProgram(args));
    return { status: Number(process.exitCode), ...said };
  } finally {
    for (const spy of spies) {
      spy.mockRestore();
    }
    setVariables(given);
    process.exitCode = exitCode;
  }
}

function setVariables(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) {
    delete process.env[name];
  }
  Object.assign(process.env, env);
}
