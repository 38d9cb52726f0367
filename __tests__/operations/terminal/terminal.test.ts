import { table } from "../../../operations/terminal/terminal";

test("a table aligns its columns", () => {
  expect(
    table([
      ["a", "bb"],
      ["ccc", "d"],
    ]),
  ).toBe("a    bb\nccc  d");
});
