import { join } from "node:path";
import type { Environment } from "../../environments";
import { tryDockerAt } from "./docker";

/** What `docker context inspect` says of the context in use. */
interface Context {
  readonly Name: string;
  readonly Endpoints?: {
    readonly docker?: { readonly Host: string; readonly SkipTLSVerify: boolean };
  };
  readonly TLSMaterial: { readonly docker?: readonly string[] };
  readonly Storage: { readonly TLSPath: string };
}

/**
 * Has everything that this process starts speak to the engine that the docker command speaks to: Terraform knows the variables alone, and
 * no contexts. An environment of several machines says itself where its engines are.
 */
export async function followContext(environment: Environment): Promise<Environment> {
  if (environment.machines || process.env.DOCKER_HOST) {
    return environment;
  }
  const context = await currentContext();
  const endpoint = context?.Endpoints?.docker;
  if (context && endpoint && context.Name !== "default") {
    process.env.DOCKER_HOST = endpoint.Host;
    if (context.TLSMaterial.docker) {
      process.env.DOCKER_CERT_PATH = join(context.Storage.TLSPath, "docker");
      process.env.DOCKER_TLS_VERIFY = endpoint.SkipTLSVerify ? "" : "1";
    }
    // Not among what a plan is printed as.
    console.error(`engine: ${endpoint.Host}, of the docker context "${context.Name}"`);
  }
  return environment;
}

/** None where the docker command has no contexts, or the one that it is to use is not there: it says so when it is used. */
async function currentContext(): Promise<Context | undefined> {
  const { output } = await tryDockerAt(undefined, "context", "inspect");
  try {
    return JSON.parse(output)[0];
  } catch {
    return undefined;
  }
}
