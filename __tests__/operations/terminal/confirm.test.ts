import { confirm } from "../../../operations/terminal/confirm";

/** What the user types, and what was asked. */
let typed: string;
let asked: string;

jest.mock("node:readline/promises", () => ({
  createInterface: () => ({
    async question(text: string) {
      asked = text;
      return typed;
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

test("without a terminal, nothing is asked, and the message names the option", async () => {
  process.stdin.isTTY = false;
  asked = "";
  await expect(ask()).rejects.toThrow(
    "--volumes destroys all data and needs a confirmation, but standard input is not a terminal: add --yes",
  );
  expect(asked).toBe("");
});
