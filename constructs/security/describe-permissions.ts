import { type FileChange, facts } from "../container/file-change";

/** Describes what an application may do in a cluster, such as `read on topic orders`; undefined where it is not declared. */
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
        `application ${name} is no longer declared: the deploy revokes its user and its rights in ${cluster}, and refuses it from then on`,
      ],
    };
  }
  if (before === undefined) {
    return facts(`application ${name}: added, ${after.join(", ") || `no rights in ${cluster}`}`);
  }
  const lost = before.filter((right) => !after.includes(right));
  const gained = after.filter((right) => !before.includes(right));
  return {
    ...facts(
      ...gained.map((right) => `application ${name}: gets ${right}`),
      ...lost.map((right) => `application ${name}: loses ${right}`),
    ),
    destructive: lost.map(
      (right) => `application ${name} loses ${right}: the deploy revokes it in ${cluster}`,
    ),
  };
}
