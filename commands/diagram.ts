// npm run diagram: draws what the synthesized stacks of an environment have, as Mermaid into the README and as docs/platform.svg.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "./support/cdktf";
import { synthesizeTree } from "./support/changes/synthesis";
import { drawPicture, toDot, toMermaid } from "./support/diagram";
import { currentEnvironment } from "./support/platform";
import { parseOptions, runCommand } from "./support/terminal";

runCommand(async () => {
  parseOptions();
  const environment = currentEnvironment();
  const picture = drawPicture(environment, synthesizeTree(PROJECT_ROOT, environment.name));
  const svg = execFileSync(process.execPath, [join(__dirname, "support", "render-dot.mjs")], {
    input: toDot(picture, environment),
  });
  writeFileSync(join(PROJECT_ROOT, "docs", "platform.svg"), svg);
  const readme = join(PROJECT_ROOT, "README.md");
  const block = `\`\`\`mermaid\n${toMermaid(picture, environment)}\n\`\`\``;
  writeFileSync(
    readme,
    readFileSync(readme, "utf8").replace(/```mermaid\n[\s\S]*?```/, () => block),
  );
  console.log("wrote the picture in README.md and docs/platform.svg");
});
