import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { copyOfProject, editCopy } from "../../operations/bench/copy";

test.each([
  [
    "a topic",
    "catalog/topics.ts",
    '"infra-events"',
    '"infra events"',
    /^topic name "infra events" is not legal: [^\n]*\n$/,
  ],
  [
    "a file of the catalog",
    "catalog/index-templates/logs_template.json",
    '"index_patterns"',
    '"index_pattern"',
    /^index template \S*logs_template\.json has the key "index_pattern": allowed are [^\n]*\n$/,
  ],
])("the app says of %s that is wrong what is, and nothing else", (_, file, from, to, message) => {
  const copy = copyOfProject();
  try {
    editCopy(copy, file, from, to);
    const { status, stderr } = spawnSync(process.execPath, ["-r", "./register.js", "main.ts"], {
      cwd: copy,
      encoding: "utf8",
      env: { ...process.env, GROUNDWORK_ENV: "lab", CDKTF_OUTDIR: join(copy, "out") },
    });
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
  } finally {
    rmSync(copy, { recursive: true });
  }
});
