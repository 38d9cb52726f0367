import { cpSync, rmSync } from "node:fs";
import type { Environment } from "../../environments";
import { secretsFolder } from "../../secrets/platform-secrets";

/** Gives an environment a copy of a folder of secrets as its own for each test, and returns where. */
export function ownSecrets(environment: Environment, from: string): string {
  delete process.env.GROUNDWORK_SECRETS;
  const own = secretsFolder(environment);
  beforeEach(() => {
    delete process.env.GROUNDWORK_SECRETS;
    cpSync(from, own, { recursive: true });
  });
  afterEach(() => rmSync(own, { recursive: true }));
  return own;
}
