import type { IConstruct } from "constructs";
import { validate } from "../container/validation";

const LABEL = "[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?";
const NETWORK_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, "i");

/** Names that the Docker engine has for networks of its own. */
const ENGINE_NETWORKS = ["bridge", "host", "none", "ingress"];

/** Throws if Docker would reject the name of a network, or if it could not be part of host names. */
export function validateNetworkName(name: string, scope?: IConstruct): void {
  validate(
    NETWORK_NAME.test(name) && !ENGINE_NETWORKS.includes(name),
    () =>
      `network name "${name}" is invalid, since it is part of host names: use letters, digits, "-", "_" and ".", with a letter or digit at both ends, and none of ${ENGINE_NETWORKS.join(", ")}`,
    scope,
  );
}
