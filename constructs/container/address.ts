import type { IConstruct } from "constructs";
import { validate } from "./validation";

const USER_INFO = /^((?:[a-z][a-z0-9+.-]*:)?\/\/)?([^?#]*)@/i;
const QUERY = /[?#].*$/s;

/** Returns the part of an address that may be secret, in words; undefined if there is none. */
function secretIn(address: string): string | undefined {
  const [, scheme = "", user] = USER_INFO.exec(address) ?? [];
  // A user name is part of an SSH address. Elsewhere it may be a token.
  if (user !== undefined && (user.includes(":") || !/^(?:ssh:\/\/)?$/i.test(scheme))) {
    return user.includes(":") ? "a password" : "a user name or token";
  }
  return QUERY.test(address) ? "parameters" : undefined;
}

/** Returns an address for a message, without what may be secret. */
export function shownAddress(address: string): string {
  return secretIn(address) === undefined
    ? address
    : address
        .replace(USER_INFO, (_, scheme = "") => `${scheme}[hidden]@`)
        .replace(QUERY, (query) => `${query[0]}[hidden]`);
}

/**
 * Describes the password, token or parameters in an address and how to do without. Returns `undefined` if there are none.
 *
 * @param what What messages call the address, such as "DOCKER_HOST".
 * @param remedy What to use instead, as an imperative.
 */
export function secretProblem(what: string, address: string, remedy: string): string | undefined {
  const found = secretIn(address);
  return (
    found && `${what} is "${shownAddress(address)}", with ${found}: remove that, and ${remedy}`
  );
}

/**
 * Throws if an address contains a password, a token or parameters, which would be in the synthesized configuration and in messages.
 * Allows a user name for SSH.
 */
export function validateNoSecret(
  what: string,
  address: string,
  remedy: string,
  scope?: IConstruct,
): void {
  const problem = secretProblem(what, address, remedy);
  validate(problem === undefined, () => problem as string, scope);
}
