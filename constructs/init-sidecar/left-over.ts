/** Returns the command that removes a resource that a sidecar applied and that is no longer declared. */
export const removalCommand = (kind: string, name: string) =>
  `npm run inventory -- --remove ${kind}/${name}`;
