// npm run credentials -- APPLICATION [--format text|properties|env|ca]: what an application connects to the clusters with.
import { parseArgs } from "node:util";
import { ensureSecrets } from "../environments/secrets";
import { credentialsOf, FORMATS } from "../operations/credentials/credentials";
import { currentDeclarations } from "../operations/synthesis/environment";
import { CommandError, optionsOrError, runCommand } from "../operations/terminal/terminal";

runCommand(async () => {
  const { values, positionals } = optionsOrError(["format"], () =>
    parseArgs({ options: { format: { type: "string" } }, allowPositionals: true }),
  );
  const { format = "text" } = values;
  const render = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (!render) {
    throw new CommandError(
      `--format is "${format}": allowed are ${Object.keys(FORMATS).join(", ")}`,
    );
  }
  const [environment, { applications }] = currentDeclarations();
  ensureSecrets(environment, applications);
  process.stdout.write(render(credentialsOf(environment, applications, positionals[0])));
});
