import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../environments";
import { secretsFolder } from "../../secrets/platform-secrets";

/** Gives an environment its own copy of a secrets folder for each test. Returns the path of the copy. */
export function ownSecrets(environment: Environment, from: string): string {
  delete process.env.GROUNDWORK_SECRETS;
  const own = secretsFolder(environment);
  beforeEach(() => {
    delete process.env.GROUNDWORK_SECRETS;
    cpSync(from, own, { recursive: true });
  });
  afterEach(() => {
    rmSync(own, { recursive: true });
    rmSync(join(own, "..", "loki-client-cas.pem"), { force: true });
  });
  return own;
}
