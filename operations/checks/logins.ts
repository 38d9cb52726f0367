import type { Application } from "../../constructs";
import { credentialsOf } from "../credentials/credentials";
import type { Platform } from "../platform/platform";

/** Logs in to OpenSearch as every application, with its own password or certificate. Returns a line for each that is refused. */
export async function loginFailures(
  { environment, openSearch }: Pick<Platform, "environment" | "openSearch">,
  applications: readonly Application[],
): Promise<string[]> {
  const failures: string[] = [];
  // One at a time: each login costs a node about 0.3 s of a CPU.
  for (const { name } of applications.filter(({ indices }) => indices)) {
    const { login } = credentialsOf(environment, applications, name);
    if (login === undefined) {
      continue;
    }
    const { exitCode, output } = await openSearch.login(login);
    if (exitCode !== 0) {
      failures.push(
        `application ${name}: OpenSearch refuses its ${"key" in login ? "certificate" : "password"}: ${output}; see docker logs os-security`,
      );
    }
  }
  return failures;
}
