import { Interrupted, UserError, UserErrors } from '@lsgmer/datasets';
import { describe, expect, it } from 'vitest';
import { describeError } from '../src/exit.ts';

describe('what an error costs', () => {
  it("the user's: its line or lines, exit code 2, no stack", () => {
    expect(describeError(new UserError('no dataset x'), undefined)).toEqual({
      code: 2,
      text: 'lsgmer: no dataset x',
    });
    expect(describeError(new UserErrors(['one', 'two']), undefined)).toEqual({
      code: 2,
      text: 'lsgmer: one\nlsgmer: two',
    });
  });

  it("the environment's, wherever it surfaces", () => {
    const large = Object.assign(new Error('EFBIG: file too large, write'), { code: 'EFBIG' });
    expect(describeError(large, undefined)).toEqual({
      code: 2,
      text: 'lsgmer: a file would be larger than the limit: raise it (ulimit -f unlimited), then run the same command to go on',
    });
    const full = Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC', path: '/store/x' });
    expect(describeError(full, undefined)).toMatchObject({
      code: 2,
      text: expect.stringMatching(/^lsgmer: no space left.*\/store\/x/),
    });
    const file = Object.assign(new Error('ENOTDIR: not a directory'), { code: 'ENOTDIR', path: 'a.csv/x' });
    expect(describeError(file, undefined)).toEqual({
      code: 2,
      text: 'lsgmer: a part of the path a.csv/x is a file: expected folders, choose another name',
    });
    const none = { code: 'ENOENT', path: '/proc/x' };
    expect(describeError(Object.assign(new Error('no'), none, { syscall: 'mkdir' }), undefined)).toEqual({
      code: 2,
      text: 'lsgmer: the folder /proc/x cannot be made (ENOENT): choose another name',
    });
    expect(describeError(Object.assign(new Error('no'), none, { syscall: 'open' }), undefined).code).toBe(1);
  });

  it('ours: the stack, exit code 1', () => {
    const { code, text } = describeError(new TypeError('x is undefined'), undefined);
    expect(code).toBe(1);
    expect(text).toMatch(/bug[\s\S]*x is undefined[\s\S]*exit\.test\.ts/);
  });

  it('a stop: 130 by Ctrl-C, 75 where a scheduler asked', () => {
    expect(describeError(new Interrupted('stopped after 3 of 9'), 'SIGINT').code).toBe(130);
    expect(describeError(new Interrupted('stopped'), 'SIGTERM').code).toBe(75);
    expect(describeError(new Interrupted('stopped'), 'SIGUSR1').code).toBe(75);
  });
});
