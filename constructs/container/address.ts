import type { IConstruct } from "constructs";
import { validate } from "./validation";

const PARAMETERS = /[?#].*$/s;

/** The parts of an address, of which only the last may be shown if there is a user. */
interface Parts {
  /** Such as "ssh://", or empty. */
  readonly scheme: string;
  /** What is before the last "@", if that is a user. */
  readonly user?: string;
  readonly rest: string;
}

function partsOf(address: string): Parts {
  const [, scheme = "", rest] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(
    address,
  ) as RegExpExecArray;
  const [authority] = rest.split(/[/?#]/);
  // A password that is not percent-encoded may contain "/" or "?". A port is a number.
  const hasUser =
    authority.includes("@") || (/^[^[]*:(?!\d*$)/.test(authority) && rest.includes("@"));
  const at = rest.lastIndexOf("@");
  return hasUser && !/^(?:unix|npipe):/i.test(scheme)
    ? { scheme, user: rest.slice(0, at), rest: rest.slice(at + 1) }
    : { scheme, rest };
}

/** Returns the part of an address that may be secret, in words; undefined if there is none. */
function secretIn({ scheme, user, rest }: Parts): string | undefined {
  if (user?.includes(":")) {
    return "a password";
  }
  // A user name is part of an SSH address. Elsewhere it may be a token.
  if (user !== undefined && !/^(?:ssh:\/\/)?$/i.test(scheme)) {
    return "a user name or token";
  }
  return PARAMETERS.test(rest) ? "parameters" : undefined;
}

/** Returns an address for a message, without what may be secret. */
export function shownAddress(address: string): string {
  const parts = partsOf(address);
  const { scheme, user, rest } = parts;
  const shown = rest.replace(PARAMETERS, (parameters) => `${parameters[0]}[hidden]`);
  return secretIn(parts) === undefined
    ? address
    : `${scheme}${user === undefined ? "" : "[hidden]@"}${shown}`;
}

/**
 * Describes the password, token or parameters in an address and how to do without. Returns `undefined` if there are none.
 *
 * @param what What messages call the address, such as "DOCKER_HOST".
 * @param remedy What to use instead, as an imperative.
 */
export function secretProblem(what: string, address: string, remedy: string): string | undefined {
  const found = secretIn(partsOf(address));
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
