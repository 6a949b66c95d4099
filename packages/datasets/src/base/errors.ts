/**
 * An error that is the user's, the environment's or a remote's: shown as one line, exit code 2.
 * The message says what is wrong and where, what was expected, and what to do next.
 * Everything that is not a UserError is a bug of ours and shown with its stack (exit code 1).
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** Several problems of one input, found in one pass; `message` holds one line for each. */
export class UserErrors extends UserError {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** The run was stopped on request (SIGINT, SIGTERM) after saving: the same command goes on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
