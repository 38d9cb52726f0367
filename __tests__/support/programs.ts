import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Puts a folder first on the PATH for the tests of a file. `program` writes a shell script to it as the program of that name. */
export function programsOnPath() {
  const folder = mkdtempSync(join(tmpdir(), "programs-"));
  const path = process.env.PATH;
  beforeEach(() => {
    process.env.PATH = `${folder}:/usr/bin:/bin`;
  });
  afterEach(() => {
    process.env.PATH = path;
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const program = (name: string, script: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  return { folder, program };
}
