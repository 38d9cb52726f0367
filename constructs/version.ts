/** The version of the constructs, which every sidecar logs. */
export const VERSION = "0.1.0";
