import { join } from "node:path";
import type { Environment } from "../../environments";
import { withEngine } from "../../stacks/placement";
import { type Engine, tryDockerAt } from "./docker";

/** The part of `docker context inspect` that is used. */
interface Context {
  readonly Name: string;
  readonly Endpoints?: {
    readonly docker?: { readonly Host: string; readonly SkipTLSVerify: boolean };
  };
  readonly TLSMaterial: { readonly docker?: readonly string[] };
  readonly Storage: { readonly TLSPath: string };
}

/**
 * Returns the environment with the engine of DOCKER_HOST or the current Docker context, since Terraform does not know contexts. Prints
 * the engine if a context names it. An environment with several machines declares its engines itself.
 */
export async function followContext(environment: Environment): Promise<Environment> {
  if (environment.machines) {
    return environment;
  }
  const engine = await currentEngine();
  const followed = withEngine(environment, engine);
  if (engine?.context) {
    // On standard error, since a plan is printed to standard output.
    console.error(`engine: ${engine.host}, from Docker context "${engine.context}"`);
  }
  return followed;
}

/** Returns the engine of DOCKER_HOST or the current Docker context; undefined if neither is set. */
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

/** Returns undefined if the docker command has no contexts or the context does not exist: later commands report that. */
async function currentContext(): Promise<Context | undefined> {
  const { output } = await tryDockerAt(undefined, "context", "inspect");
  try {
    return JSON.parse(output)[0];
  } catch {
    return undefined;
  }
}
