import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { currentEnvironment } from "../operations/synthesis/environment";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { synthesizeProject } from "../operations/synthesis/tree";
import { drawPicture, toMermaid } from "../tools/documentation/diagram";

/** Writes a Mermaid diagram of an environment's synthesized stacks into the README. */
export async function writeDiagram(): Promise<void> {
  const environment = currentEnvironment();
  const picture = drawPicture(environment, await synthesizeProject(environment));
  const readme = join(PROJECT_ROOT, "README.md");
  const block = `\`\`\`mermaid\n${toMermaid(environment, picture)}\n\`\`\``;
  writeFileSync(
    readme,
    readFileSync(readme, "utf8").replace(/```mermaid\n[\s\S]*?```/, () => block),
  );
  console.log("updated the diagram in README.md");
}
