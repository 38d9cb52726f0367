import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preview } from "../../operations/changes/preview";
import { currentEnvironment } from "../../operations/synthesis/environment";
import { runHere } from "../support/command";
import { ROOT } from "../support/root";

describe("npm run preview", () => {
  const run = (...args: string[]) =>
    runHere(
      ["preview", ...args],
      // Only git and node: no engine and no Terraform.
      { PATH: `${join(process.execPath, "..")}:/usr/bin:/bin`, HOME: tmpdir() },
    );

  test("compares with a revision and counts the changes", async () => {
    const head = execFileSync("git", ["rev-parse", "HEAD"], { cwd: ROOT, encoding: "utf8" }).trim();
    const { stdout, stderr, status } = await run("--base", head, "--env", "production");
    expect(stderr).toBe("");
    expect(stdout).toContain(`production, against ${head}\n`);
    expect(stdout).toMatch(/containers .*22\nreserved memory .* of 32768 MiB/);
    expect([0, 2, 3]).toContain(status);
  });

  test("fails with what is allowed", async () => {
    const { stderr, status } = await run("--verbose");
    expect(stderr).toMatch(
      /Unknown option '--verbose'.*Allowed options: --base, --env, --all, --format/,
    );
    expect(status).toBe(1);
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "no revision",
      () => preview("no-such-branch", ["laptop"]),
      /^git cannot check out --base "no-such-branch": /,
    ],
    [
      "no environment",
      async () => currentEnvironment("prod"),
      /^GROUNDWORK_ENV is "prod": allowed are laptop, small, production, lab, lab-secured, lab-three, lab-three-secured/,
    ],
  ])("fails with the remedy for what is %s", async (_, look, message) => {
    await expect(look()).rejects.toThrow(message);
  });
});
