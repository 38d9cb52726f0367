import type { CommandError } from "../../operations/terminal/terminal";

const TERMINAL = "../../operations/terminal/terminal";

/** What a command said, and what it exits with. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `commands/<name>.ts` without options and with these variables alone, in this process: one of its own would load and compile
 * everything again.
 */
export async function runCommandHere(name: string, env: NodeJS.ProcessEnv): Promise<Said> {
  const given = { ...process.env };
  const said = { stdout: "", stderr: "" };
  const to = (stream: keyof typeof said) => (text: unknown) => {
    said[stream] += `${text}\n`;
  };
  const console_ = [
    jest.spyOn(console, "log").mockImplementation(to("stdout")),
    jest.spyOn(console, "warn").mockImplementation(to("stderr")),
    jest.spyOn(console, "error").mockImplementation(to("stderr")),
  ];
  setVariables(env);
  let status = 0;
  try {
    // Modules of its own, as in a process of its own.
    await jest.isolateModulesAsync(async () => {
      let running: Promise<void> | undefined;
      const terminal = jest.requireActual(TERMINAL);
      jest.doMock(TERMINAL, () => ({
        ...terminal,
        // The options of this process are jest's.
        parseOptions: () => ({}),
        runCommand: (main: () => Promise<void>) => {
          running = main();
        },
      }));
      require(`../../commands/${name}`);
      await running?.catch((error: CommandError) => {
        if (!(error instanceof terminal.CommandError)) {
          throw error;
        }
        said.stderr += `\n${error.message}\n`;
        status = 1;
      });
    });
  } finally {
    jest.dontMock(TERMINAL);
    for (const spy of console_) {
      spy.mockRestore();
    }
    setVariables(given);
  }
  return { status, ...said };
}

function setVariables(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) {
    delete process.env[name];
  }
  Object.assign(process.env, env);
}
