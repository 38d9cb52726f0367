import type { LabEngine } from "../../lab/prepare";
import {
  deployCatalog,
  docker,
  expectDone,
  expectEveryVolume,
  freshLab,
  npm,
  OF_THE_LAB,
  synthesizedContainers,
} from "./lab";

/** Tests the main commands on a new lab. */
export function testSmoke(engine?: LabEngine): void {
  beforeAll(() => freshLab(undefined, { engine, sharedClasses: false }));

  test("npm run up on a fresh machine ends with every requirement met", () => {
    const finished = npm("up");
    expectDone(finished);
    const requirements = [...finished.output.matchAll(/^((?:AUT|NFR)-\w+) +(\S+)/gm)];
    expect(requirements.map(([, name, holds]) => [name, holds])).toEqual(
      ["AUT-001", "AUT-002", "AUT-003", "NFR-VIS", "NFR-IDEM"].map((name) => [name, "yes"]),
    );
  });

  test("npm run plan has nothing to do afterwards", () => {
    const finished = npm("plan");
    expectDone(finished);
    expect(finished.output).toMatch(/^no changes$/m);
  });

  test("a topic that the broker rejects fails the deploy with 65 and the broker's reason", () => {
    const { exitCode, output } = deployCatalog("rejected-topic");
    expect(exitCode).not.toBe(0);
    expect(output).toContain("Tiered Storage functionality is disabled in the broker.");
    expect(output).toMatch(/"event":"exit","version":"[^"]+","exit_code":65,/);
  });

  test("npm run down removes every container and keeps every volume", () => {
    const declared = synthesizedContainers().map(({ name }) => name);
    expect(declared).toContain("kafka-1");
    expectDone(npm("down"));
    expect(docker("ps", "--all", "--quiet", ...OF_THE_LAB)).toBe("");
    expectEveryVolume();
  });
}
