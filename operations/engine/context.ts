import { join } from "node:path";
import type { Environment } from "../../environments";
import { withEngine } from "../../stacks/placement";
import { type Engine, tryDockerAt } from "./docker";

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
 * The environment with the engine that the docker command speaks to, which is said where a docker context names it: Terraform knows no
 * contexts. An environment of several machines says itself where its engines are.
 */
export async function followContext(environment: Environment): Promise<Environment> {
  if (environment.machines) {
    return environment;
  }
  const engine = await currentEngine();
  if (engine?.context) {
    // Not among what a plan is printed as.
    console.error(`engine: ${engine.host}, from Docker context "${engine.context}"`);
  }
  return withEngine(environment, engine);
}

/** The engine that DOCKER_HOST or the docker context names; nothing where neither does. */
export async function currentEngine(): Promise<Engine> {
  const { DOCKER_HOST: host } = process.env;
  if (host) {
    return { host };
  }
  const context = await currentContext();
  const endpoint = context?.Endpoints?.docker;
  if (!context || !endpoint || context.Name === "default") {
    return undefined;
  }
  return {
    host: endpoint.Host,
    context: context.Name,
    tls: context.TLSMaterial.docker && {
      certPath: join(context.Storage.TLSPath, "docker"),
      verify: !endpoint.SkipTLSVerify,
    },
  };
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
