import { UserError } from '../base/errors.ts';

const environment = (elsewhere: string): { readonly [code: string]: string } => ({
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'the quota is used up: free some space',
  EACCES: `it may not be written: ${elsewhere}, or ask its owner`,
  EPERM: `it may not be written: ${elsewhere}, or ask its owner`,
  EROFS: `it lies on a read-only disk: ${elsewhere}`,
  EIO: 'the disk reports an input/output error: check it',
});

const ANOTHER_STORE = 'choose another store with --store';

/**
 * Runs a piece of writing; failures of the disk and of rights become one line that names the folder.
 * @param elsewhere what to do where the folder is no store's.
 */
export function orUserError<T>(folder: string, work: () => T, elsewhere = ANOTHER_STORE): T {
  try {
    return work();
  } catch (error) {
    throw worded(folder, error, elsewhere);
  }
}

/** The same for work that takes its time. */
export async function orUserErrorAsync<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw worded(folder, error, ANOTHER_STORE);
  }
}

function worded(folder: string, error: unknown, elsewhere: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = environment(elsewhere)[code];
  if (reason === undefined) return error;
  return new UserError(`could not write to ${folder} (${code}): ${reason}, then run the same command again`);
}
