import { spawnSync } from "node:child_process";
import { SHORTEST_FIRST } from "../e2e/suites";
import { ROOT } from "./root";

describe("npm run test:e2e", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ["commands/groundwork.mjs", "test:e2e", ...args], {
      cwd: ROOT,
      encoding: "utf8",
    });

  test("names the suites that there are when one is not", () => {
    const { status, stderr } = run("smoek", "lifecycle");
    expect(status).toBe(1);
    expect(stderr).toBe(`\nthere is no suite "smoek": allowed are ${SHORTEST_FIRST.join(", ")}\n`);
  });

  test("names those that are stale, and fails if there are any", () => {
    const { status, stdout } = run("smoke", "--stale");
    const [, stale] = /(\d) green, (\d) stale\n$/.exec(stdout)?.slice(1).map(Number) ?? [];
    expect(status).toBe(stale);
    expect(/^smoke /m.test(stdout)).toBe(stale === 1);
  });

  test("takes a whole number of times", () => {
    expect(run("smoke", "--times", "0").stderr).toBe(
      '\n--times is "0": give a whole number from 1 to 99\n',
    );
  });
});
