import { CommandError } from "../terminal/terminal";

/** Returns the result, or something else if a service does not answer, which is added to the failures. */
export async function unlessSilent<T>(
  work: Promise<T>,
  otherwise: T,
  failures: string[],
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof CommandError)) {
      throw error;
    }
    failures.push(error.message);
    return otherwise;
  }
}
