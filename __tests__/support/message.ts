/** Returns the message of the error that a function throws. */
export function messageOf(failing: () => unknown): string {
  try {
    failing();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it does not fail");
}
