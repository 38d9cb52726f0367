import { cpSync, rmSync } from "node:fs";
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
  });
  return own;
}
