import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Formats files as npm run lint expects them, if the formatter is installed. */
export function formatFiles(root: string, files: readonly string[]): void {
  const biome = join(root, "node_modules", ".bin", "biome");
  if (existsSync(biome)) {
    spawnSync(biome, ["format", "--write", ...files], { cwd: root, stdio: "ignore" });
  }
}
