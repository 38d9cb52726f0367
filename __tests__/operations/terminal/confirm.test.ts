import { confirm } from "../../../operations/terminal/confirm";
import { InterruptedError } from "../../../operations/terminal/terminal";

/** What the user types, or the key that ends the question. */
let typed: string;
let asked: string;
let close: () => void;

jest.mock("node:readline/promises", () => ({
  createInterface: () => ({
    async question(text: string) {
      asked = text;
      if (typed.startsWith("Ctrl-C")) {
        throw Object.assign(new Error("Aborted with Ctrl+C"), { name: "AbortError" });
      }
      if (typed.startsWith("Ctrl-D")) {
        return new Promise(() => close());
      }
      return typed;
    },
    once: (_: string, listener: () => void) => {
      close = listener;
    },
    close: () => undefined,
  }),
}));

const { isTTY } = process.stdin;
beforeEach(() => {
  process.stdin.isTTY = true;
});
afterAll(() => {
  process.stdin.isTTY = isTTY;
});

const ask = () =>
  confirm(
    "production",
    'This destroys all data of environment "production"',
    "--volumes destroys all data and needs a confirmation, but standard input is not a terminal: add --yes",
  );

test("the name of the environment confirms", async () => {
  typed = "production";
  await ask();
  expect(asked).toBe(
    'This destroys all data of environment "production". Type the environment\'s name to continue: ',
  );
});

test("anything else does not", async () => {
  typed = "yes";
  await expect(ask()).rejects.toThrow('the name is "production", not "yes": no changes made');
});

test.each(["Ctrl-C, which aborts the question", "Ctrl-D, which closes the interface"])(
  "%s, interrupts, and the message says that nothing was changed",
  async (key) => {
    typed = key;
    const outcome = ask().catch((error) => error);
    expect(await outcome).toBeInstanceOf(InterruptedError);
    expect(await outcome).toMatchObject({ message: "interrupted: no changes made" });
  },
);

test("without a terminal, nothing is asked, and the message names the option", async () => {
  process.stdin.isTTY = false;
  asked = "";
  await expect(ask()).rejects.toThrow(
    "--volumes destroys all data and needs a confirmation, but standard input is not a terminal: add --yes",
  );
  expect(asked).toBe("");
});
