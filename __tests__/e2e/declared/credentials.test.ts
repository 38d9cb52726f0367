import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KAFKA_IMAGE } from "../../../constructs";
import { RENDERERS } from "../../../operations/credentials/formats";
import { docker, freshLab, TRIAL } from "../../support/lab";
import { passwords } from "../../support/passwords";

beforeAll(() => freshLab());

test("docker run --env-file reads every password in the format env", () => {
  const folder = mkdtempSync(join(tmpdir(), "env-file-"));
  const all = passwords(200);
  // docker takes the last line of a name, so each password needs a name of its own.
  const lines = all.map((password, i) => {
    const text = RENDERERS.env({
      application: "shop",
      kafka: { bootstrapServers: "kafka:9092" },
      login: { user: "shop", password, caBundle: "" },
    });
    return text.replace(/^(\w+=)/gm, `P${i}_$1`);
  });
  const file = join(folder, "credentials.env");
  writeFileSync(file, lines.join(""));
  const id = docker("create", ...TRIAL, "--env-file", file, KAFKA_IMAGE);
  const env: string[] = JSON.parse(docker("inspect", "--format", "{{json .Config.Env}}", id));
  rmSync(folder, { recursive: true });
  const wanted = all.map((password, i) => `P${i}_KAFKA_PASSWORD=${password}`);
  expect(wanted.filter((variable) => !env.includes(variable))).toEqual([]);
});
