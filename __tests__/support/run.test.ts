import { spawnSync } from "node:child_process";
import { SHORTEST_FIRST } from "../e2e/suites";
import { ROOT } from "./root";

describe("npm run test:e2e", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ["commands/groundwork.mjs", "test:e2e", ...args], {
      cwd: ROOT,
      encoding: "utf8",
    });

  test("lists the suites if a name is unknown", () => {
    const { status, stderr } = run("smoek", "lifecycle");
    expect(status).toBe(1);
    expect(stderr).toBe(`\nunknown suite "smoek": allowed are ${SHORTEST_FIRST.join(", ")}\n`);
  });

  test("lists stale suites, and fails if there are any", () => {
    const { status, stdout } = run("smoke", "--stale");
    const [, stale] = /(\d) green, (\d) stale\n$/.exec(stdout)?.slice(1).map(Number) ?? [];
    expect(status).toBe(stale);
    expect(/^smoke /m.test(stdout)).toBe(stale === 1);
  });

  test("accepts only an integer for --times", () => {
    expect(run("smoke", "--times", "0").stderr).toBe(
      '\n--times is "0": it must be an integer from 1 to 99\n',
    );
  });
});
