import { join } from "node:path";

const ROOT = join(__dirname, "..", "..");
const TERMINAL = "../../operations/terminal/terminal";

/** What a command said, and what it exits with. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** @default - none */
  readonly args?: readonly string[];
  /** All of its variables. @default - those of this process */
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a command's file in this process: one of its own would load and compile everything again. */
export async function runHere(
  file: string,
  { args = [], env = { ...process.env } }: CommandOptions = {},
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
  ];
  setVariables(env);
  const { exitCode } = process;
  process.exitCode = 0;
  try {
    // Modules of its own, as in a process of its own.
    await jest.isolateModulesAsync(async () => {
      const util = jest.requireActual("node:util");
      // This process has options of jest's.
      jest.doMock("node:util", () => ({
        ...util,
        parseArgs: (config: object) => util.parseArgs({ args, ...config }),
      }));
      const terminal = jest.requireActual(TERMINAL);
      let running: Promise<void> | undefined;
      jest.doMock(TERMINAL, () => ({
        ...terminal,
        runCommand: (main: () => Promise<void>) => {
          running = main();
        },
      }));
      require(join(ROOT, file));
      await running?.catch((error: Error) => {
        const message = terminal.messageOf(error);
        if (message === undefined) {
          throw error;
        }
        said.stderr += `${message}\n`;
        process.exitCode = 1;
      });
    });
    return { status: Number(process.exitCode), ...said };
  } finally {
    jest.dontMock(TERMINAL);
    jest.dontMock("node:util");
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
