import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { laptop } from "../../../environments/laptop";
import { unmeasured } from "../../../operations/checks/observability";
import { Platform } from "../../../operations/platform/platform";

const platform = new Platform(laptop);
const path = process.env.PATH;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "measured-"));
  process.env.PATH = `${folder}:${path}`;
});

afterAll(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

/** A Prometheus that answers so. */
function prometheus(script: string): void {
  const file = join(folder, "docker");
  writeFileSync(file, `#!/bin/sh\n[ "$1 $2" = "exec prometheus" ] || exit 9\n${script}\n`);
  chmodSync(file, 0o755);
}

test("a container whose memory is measured under no name, or under its id alone, is told", async () => {
  prometheus(
    `echo '[{"metric":{"container_id":"a","name":"kafka-1"},"value":[0,"5"]},{"metric":{"container_id":"b"},"value":[0,"5"]}]'`,
  );
  expect(await unmeasured(platform, ["kafka-1"])).toEqual([]);
  expect(await unmeasured(platform, ["kafka-1", "loki"])).toEqual([
    "loki: Prometheus has no memory of it",
  ]);
});

test("a Prometheus that does not answer is told in its own words", async () => {
  prometheus("echo 'connection refused' >&2; exit 1");
  expect(await unmeasured(platform, ["kafka-1"])).toEqual(["Prometheus: connection refused"]);
});
