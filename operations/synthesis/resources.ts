import type { EngineAddress, Environment } from "../../environments";

/** A resource of a synthesized stack. */
export interface SynthesizedResource<Body = Readonly<Record<string, unknown>>> {
  readonly stack: string;
  readonly type: string;
  /** Terraform's name of the resource, unique per type in its stack. */
  readonly id: string;
  readonly body: Body;
}

/** Returns the Docker engine in a stack's JSON, by default that of the environment. */
export function engineOfStack(
  environment: Environment,
  { provider }: { provider?: { docker?: readonly { host?: string }[] } },
): EngineAddress | undefined {
  const host = provider?.docker?.[0]?.host;
  return host === undefined ? environment.engine : { host };
}

/** Returns every resource of a stack's JSON. */
export function resourcesOf(
  stack: string,
  { resource = {} }: { resource?: Record<string, Record<string, Record<string, unknown>>> },
): SynthesizedResource[] {
  return Object.entries(resource).flatMap(([type, bodies]) =>
    Object.entries(bodies).map(([id, body]) => ({ stack, type, id, body })),
  );
}

/** What CDKTF appends to the id of a resource to make it unique. */
const UNIQUE_SUFFIX = /_[0-9A-F]{8}$/;

/** Returns the name of a resource for messages, by its Terraform address. Of one that is no longer declared, only its id is known. */
export function nameOf(resources: readonly SynthesizedResource[], address: string): string {
  const declared = resources.find(({ type, id }) => `${type}.${id}` === address);
  if (typeof declared?.body.name === "string") {
    return declared.body.name;
  }
  return declared?.id ?? address.slice(address.lastIndexOf(".") + 1).replace(UNIQUE_SUFFIX, "");
}
