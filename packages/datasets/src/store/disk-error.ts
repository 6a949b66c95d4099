import { UserError } from '../base/errors.ts';

const ENVIRONMENT: { readonly [code: string]: string } = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'the quota is used up: free some space',
  EACCES: 'it may not be written: choose another store with --store, or ask its owner',
  EPERM: 'it may not be written: choose another store with --store, or ask its owner',
  EROFS: 'it lies on a read-only disk: choose another store with --store',
  EIO: 'the disk reports an input/output error: check it',
};

/** Runs a piece of writing; failures of the disk and of rights become one line that names the folder. */
export function orUserError<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw worded(folder, error);
  }
}

/** The same for work that takes its time. */
export async function orUserErrorAsync<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw worded(folder, error);
  }
}

function worded(folder: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = ENVIRONMENT[code];
  if (reason === undefined) return error;
  return new UserError(`could not write to ${folder} (${code}): ${reason}, then run the same command again`);
}
