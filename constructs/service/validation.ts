import type { IConstruct } from "constructs";

/**
 * A declaration that cannot work. The message says what is wrong with which value, what is allowed and what to do; the
 * construct's path is appended.
 */
export class ValidationError extends Error {
  constructor(message: string, scope?: IConstruct) {
    super(scope ? `${message} (at ${scope.node.path})` : message);
    this.name = "ValidationError";
  }
}

/** Throws a `ValidationError` with the message unless the condition holds. */
export function validate(
  condition: boolean,
  message: () => string,
  scope?: IConstruct,
): asserts condition {
  if (!condition) {
    throw new ValidationError(message(), scope);
  }
}

/** How long a service keeps what it collects: whole days, one at least. */
export function validateRetentionDays(days: number, keeper: string, scope: IConstruct): void {
  validate(
    Number.isInteger(days) && days >= 1,
    () => `retentionDays is ${days}: ${keeper} for a whole number of days from 1`,
    scope,
  );
}
