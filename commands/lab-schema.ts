import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildTerraform } from "../lab/prepare";

/** Prints `terraform providers schema -json` of the lab's provider. */
export async function printLabSchema(): Promise<void> {
  const { terraform } = await buildTerraform();
  const directory = mkdtempSync(join(tmpdir(), "groundwork-schema-"));
  try {
    writeFileSync(
      join(directory, "main.tf.json"),
      JSON.stringify({
        terraform: {
          required_providers: { docker: { source: "registry.terraform.io/kreuzwerker/docker" } },
        },
      }),
    );
    const run = (...args: string[]) =>
      execFileSync(terraform, args, {
        cwd: directory,
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
      });
    run("init", "-input=false", "-no-color");
    process.stdout.write(run("providers", "schema", "-json"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
