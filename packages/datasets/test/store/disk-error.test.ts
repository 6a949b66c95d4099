import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { orUserError } from '../../src/store/disk-error.ts';

const failing = (code: string) => (): never => {
  throw Object.assign(new Error('system text'), { code });
};

describe('orUserError', () => {
  it('turns a full disk and missing rights into one line', () => {
    expect(() => orUserError('/store/x', failing('ENOSPC'))).toThrow(
      new UserError(
        'could not write to /store/x (ENOSPC): the disk is full: free some space, then run the same command again',
      ),
    );
    expect(() => orUserError('/store/x', failing('EROFS'))).toThrow(
      'it lies on a read-only disk: choose another store with --store',
    );
  });

  it('leaves results and all other errors alone', () => {
    expect(orUserError('/store/x', () => 7)).toBe(7);
    expect(() => orUserError('/store/x', failing('EBADF'))).toThrow('system text');
  });
});
