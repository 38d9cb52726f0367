import { runHere } from "../support/command";

test.each([
  [["--engine", "buster"], '--engine is "buster": allowed are bookworm, trixie, forky'],
  [
    ["--engine", "forky", "--machines", "3"],
    "--engine and --machines are for one lab each: machines have this machine's own engine, leave one of the two out",
  ],
  [["--machines", "4"], '--machines is "4": 3 is allowed, for environment lab-three'],
])("npm run lab with %j says what is allowed", async (args, message) => {
  const { status, stderr } = await runHere(["lab", ...args]);
  expect({ status, stderr }).toEqual({ status: 1, stderr: `\n${message}\n` });
});
