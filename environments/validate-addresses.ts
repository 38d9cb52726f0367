import { shownAddress, validateNoSecret } from "../constructs/container/address";
import { all, validate } from "../constructs/container/validation";
import type { Environment, Machine, StateBackend } from "./environment";

/** Throws if the address of the state backend or of the SMTP server is malformed or contains a secret. */
export function validateAddresses({ name, state, grafana }: Environment): void {
  all(
    () => state && validateState(name, state),
    () => grafana.smtp && validateSmtp(name, grafana.smtp.host),
  );
}

function validateState(name: string, backend: StateBackend): void {
  const what = (property: string) => `state.${property} of environment "${name}"`;
  if (backend.kind === "http") {
    const { address } = backend;
    validateNoSecret(what("address"), address, "export TF_HTTP_USERNAME and TF_HTTP_PASSWORD");
    validate(
      /^https?:\/\/.*[^/]$/.test(address),
      () =>
        `${what("address")} is "${address}": it must be an http(s) URL without a trailing slash`,
    );
  } else if (backend.kind === "s3" && backend.endpoint !== undefined) {
    const { endpoint } = backend;
    validateNoSecret(
      what("endpoint"),
      endpoint,
      "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    );
    validate(
      /^https?:\/\/./.test(endpoint),
      () => `${what("endpoint")} is "${endpoint}": it must be an http(s) URL`,
    );
  } else if (backend.kind === "remote" && backend.hostname !== undefined) {
    const { hostname } = backend;
    validateNoSecret(what("hostname"), hostname, "export TF_TOKEN_<host>, or run terraform login");
    validate(
      /^[\w.-]+(?::\d+)?$/.test(hostname),
      () => `${what("hostname")} is "${hostname}": it must be a host name without a scheme or path`,
    );
  }
}

function validateSmtp(name: string, host: string): void {
  const what = `grafana.smtp.host of environment "${name}"`;
  validateNoSecret(what, host, "use a server that accepts email from this machine without a login");
  validate(
    /^[^\s/]+:\d+$/.test(host),
    () => `${what} is "${host}": it must be a host and a port, such as smtp.example.org:587`,
  );
}

/** Throws if the address of a Docker engine contains a password, as the docker command does. */
export function validateEngineAddress(what: string, engine: string): void {
  validateNoSecret(
    what,
    engine,
    engine.startsWith("ssh:")
      ? "configure a key for the host in ~/.ssh/config"
      : "use a client certificate with DOCKER_CERT_PATH",
  );
}

/** Throws if the address of a machine's Docker engine is malformed or contains a password. */
export function validateEngine({ name, engine }: Machine): void {
  const what = `the engine of machine "${name}"`;
  validateEngineAddress(what, engine);
  validate(
    /^(ssh|tcp|unix):\/\/.+/.test(engine),
    () =>
      `${what} is "${shownAddress(engine)}": allowed are ssh://user@host, tcp://host:2376 with TLS, and unix:///path`,
  );
}
