/** The folder of a sidecar's files. */
export const SIDECAR_DIR = "/groundwork";
