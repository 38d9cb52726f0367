import type { IConstruct } from "constructs";

/**
 * A declaration that cannot work. The message says what is wrong with which value, what is allowed and what to do; the
 * construct's path is appended. Of several things that are wrong each has a line.
 */
export class ValidationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[], scope?: IConstruct) {
    const lines = (typeof problems === "string" ? [problems] : problems).map((problem) =>
      scope ? `${problem} (at ${scope.node.path})` : problem,
    );
    super(lines.join("\n"));
    this.name = "ValidationError";
    this.problems = lines;
  }
}

/** What all of them give. Goes on after a `ValidationError`, and throws one with everything that was wrong. */
export function all<T extends readonly unknown[]>(
  ...tasks: { readonly [K in keyof T]: () => T[K] }
): T {
  const problems: string[] = [];
  const results = tasks.map((task) => {
    try {
      return task();
    } catch (error) {
      if (!(error instanceof ValidationError)) {
        throw error;
      }
      problems.push(...error.problems);
      return undefined;
    }
  });
  if (problems.length > 0) {
    throw new ValidationError([...new Set(problems)]);
  }
  return results as unknown as T;
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

/** Throws with every one of the names that is there twice. */
export function validateDistinct(
  names: readonly string[],
  message: (name: string) => string,
  scope?: IConstruct,
): void {
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  all(...[...twice].map((name) => () => validate(false, () => message(name), scope)));
}
