import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyOfProject } from "./copy";
import { type Figure, ROUNDS, ratio, time } from "./figure";
import { runNpm } from "./run";

/** A deploy that adds one template of 1 MB, against one that adds one of 1 KB, on a copy of the project. */
export async function benchTemplates(): Promise<Figure[]> {
  const copy = copyOfProject();
  const small: number[] = [];
  const large: number[] = [];
  try {
    // Terraform's folders of the copy are new.
    await runNpm("up", { cwd: copy });
    for (let round = 0; round < ROUNDS; round++) {
      const add = async (name: string, fields: number) => {
        const file = join(copy, "catalog", "index-templates", `bench-${name}-${round}.json`);
        writeFileSync(file, template(`bench-${name}-${round}-*`, fields));
        const seconds = await time(() => runNpm("up", { cwd: copy }));
        // The next one has the cost of its own template alone.
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

/** About 75 bytes a field. */
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
