// npm run rotate -- ca | certificates | APPLICATION: makes new certificates, or an application's new password, and deploys them.
import { parseArgs } from "node:util";
import { followContext } from "../operations/engine/context";
import { rotate } from "../operations/rotation/rotate";
import { currentDeclarations } from "../operations/synthesis/environment";
import { optionsOrError, runCommand } from "../operations/terminal/terminal";

runCommand(async () => {
  const { positionals } = optionsOrError([], () =>
    parseArgs({ options: {}, allowPositionals: true }),
  );
  const [environment, { applications }] = currentDeclarations();
  await rotate(await followContext(environment), applications, positionals[0]);
});
