import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Testing } from "cdktf";
import { catalog } from "../../catalog";
import type { Environment } from "../../environments";
import { laptop } from "../../environments/laptop";
import { production } from "../../environments/production";
import { small } from "../../environments/small";
import { knownEnvironments } from "../../operations/synthesis/environment";
import { type SynthesizeProps, synthesizePlatform } from "../../stacks/platform";
import { synthesize } from "../support/platform";

describe.each(Object.values(knownEnvironments))("environment $name", (environment) => {
  test("has this construct tree", () => {
    expect(Testing.renderConstructTree(synthesize(environment).app)).toMatchSnapshot();
  });

  test("synthesizes to the same bytes in another folder, after another environment in the same process", async () => {
    const first = await synthesizedFiles(environment);
    await synthesizedFiles(environment === laptop ? production : laptop, { preventDestroy: false });
    const second = await synthesizedFiles(environment);
    expect(Object.keys(first).length).toBeGreaterThan(4);
    expect(second).toEqual(first);
  });
});

// In plaintext, with TLS, and with one node of each cluster. The others differ only in what their own tests check.
describe.each([laptop, small, production])("environment $name", (environment) => {
  const { stacks } = synthesize(environment);

  test.each(Object.keys(stacks))("synthesizes stack %s to this", (stack) => {
    expect(withoutFiles(stacks[stack])).toMatchSnapshot();
  });
});

/** Omits the content of uploaded files and the hash of programs, which other tests cover. */
function withoutFiles(stack: unknown): unknown {
  return JSON.parse(JSON.stringify(stack), (key, value) => {
    if (key === "content") {
      return "(the file's content)";
    }
    const isProgram = key === "source_hash" || (key === "source" && value.startsWith("assets/"));
    return isProgram ? `(the program's ${key})` : value;
  });
}

async function synthesizedFiles(
  environment: Environment,
  props: SynthesizeProps = {},
): Promise<Record<string, string>> {
  const outdir = mkdtempSync(join(tmpdir(), "groundwork-"));
  try {
    await synthesizePlatform(environment, catalog, { outdir, secrets: false, ...props });
    const files = (readdirSync(outdir, { recursive: true }) as string[])
      .map((file) => join(outdir, file))
      .filter((file) => statSync(file).isFile());
    return Object.fromEntries(
      files.map((file) => [relative(outdir, file), readFileSync(file, "utf8")]),
    );
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
