/** Version of the constructs, in the log of every sidecar. */
export const VERSION = "0.1.0";
