import { type FileChange, facts } from "../container/file-change";

/**
 * Describes how the permissions of an application in a cluster change. A permission is a text such as `read on topic orders`; a list is
 * undefined if the application is not declared.
 */
export function describePermissions(
  name: string,
  cluster: string,
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
): FileChange {
  if (after === undefined) {
    return {
      ...facts(`application ${name}: no longer declared`),
      destructive: [
        `application ${name} is no longer declared: the deploy deletes its user and its permissions in ${cluster}, so it is refused from then on`,
      ],
    };
  }
  if (before === undefined) {
    return facts(
      `application ${name}: added, ${after.join(", ") || `no permissions in ${cluster}`}`,
    );
  }
  const lost = before.filter((permission) => !after.includes(permission));
  const gained = after.filter((permission) => !before.includes(permission));
  return {
    ...facts(
      ...gained.map((permission) => `application ${name}: gets ${permission}`),
      ...lost.map((permission) => `application ${name}: loses ${permission}`),
    ),
    destructive: lost.map(
      (permission) =>
        `application ${name} loses ${permission}: the deploy revokes it in ${cluster}`,
    ),
  };
}
