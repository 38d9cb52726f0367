import { runHere } from "../support/command";

test.each([
  [["--engine", "buster"], '--engine is "buster": allowed are bookworm, trixie, forky'],
  [
    ["--engine", "forky", "--machines", "3"],
    "--engine and --machines cannot be combined: several machines always run this machine's own dockerd. Omit one of them",
  ],
  [["--machines", "4"], '--machines is "4": only 3 is allowed (environment lab-three)'],
])("npm run lab with %j says what is allowed", async (args, message) => {
  const { status, stderr } = await runHere(["lab", ...args]);
  expect({ status, stderr }).toEqual({ status: 1, stderr: `\n${message}\n` });
});
