import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyOfProject } from "./copy";
import { type Figure, ROUNDS, ratio, time } from "./figure";
import { runNpm } from "./run";

/** Compares deploys that add an index template of 1 MB and of 1 KB, on a copy of the project. */
export async function benchTemplates(): Promise<Figure[]> {
  const copy = copyOfProject();
  const small: number[] = [];
  const large: number[] = [];
  try {
    // Initializes the copy's Terraform folders.
    await runNpm("up", { cwd: copy });
    for (let round = 0; round < ROUNDS; round++) {
      const add = async (name: string, fields: number) => {
        const file = join(copy, "catalog", "index-templates", `bench-${name}-${round}.json`);
        writeFileSync(file, template(`bench-${name}-${round}-*`, fields));
        const seconds = await time(() => runNpm("up", { cwd: copy }));
        // The next round must not measure this template too.
        rmSync(file);
        return seconds;
      };
      small.push(await add("small", 10));
      large.push(await add("large", 14_000));
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
  return [ratio("up that adds a template of 1 MB / of 1 KB", large, small, 2)];
}

/** Renders an index template with about 75 bytes per field. */
function template(pattern: string, fields: number): string {
  const properties = Object.fromEntries(
    Array.from({ length: fields }, (_, i) => [
      `field_number_${i}_of_the_benchmark`,
      { type: "keyword" },
    ]),
  );
  return JSON.stringify(
    {
      index_patterns: [pattern],
      template: {
        settings: { "index.mapping.total_fields.limit": fields + 1000 },
        mappings: { properties },
      },
    },
    null,
    2,
  );
}
