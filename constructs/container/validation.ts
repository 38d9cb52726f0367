import type { IConstruct } from "constructs";

/**
 * An invalid declaration. Each problem has a line that names the value, what is allowed and what to do, followed by the construct's
 * path.
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

/** Runs all tasks and returns their results. Collects every `ValidationError` and throws one with all problems. */
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

/** Runs a task on one file. Of the problems that it finds, throws the first ten and how many more there are. */
export function firstProblems<T>(what: string, task: () => T): T {
  try {
    return task();
  } catch (error) {
    if (!(error instanceof ValidationError) || error.problems.length <= MOST_PROBLEMS + 1) {
      throw error;
    }
    throw new ValidationError([
      ...error.problems.slice(0, MOST_PROBLEMS),
      `${what} has ${error.problems.length - MOST_PROBLEMS} more problems: fix these first`,
    ]);
  }
}

/** As many as a screen shows. */
const MOST_PROBLEMS = 10;

/** Throws a `ValidationError` with the message if the condition is false. */
export function validate(
  condition: boolean,
  message: () => string,
  scope?: IConstruct,
): asserts condition {
  if (!condition) {
    throw new ValidationError(message(), scope);
  }
}

/** Throws unless the retention is a whole number of days, at least 1. */
export function validateRetentionDays(days: number, keeper: string, scope: IConstruct): void {
  validate(
    Number.isInteger(days) && days >= 1,
    () => `retentionDays is ${days}: ${keeper} for a whole number of days, at least 1`,
    scope,
  );
}

/** Throws with a message for every duplicate name. */
export function validateDistinct(
  names: readonly string[],
  message: (name: string) => string,
  scope?: IConstruct,
): void {
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  all(...[...twice].map((name) => () => validate(false, () => message(name), scope)));
}
