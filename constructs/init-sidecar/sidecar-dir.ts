/** Where a sidecar finds its files. */
export const SIDECAR_DIR = "/groundwork";
