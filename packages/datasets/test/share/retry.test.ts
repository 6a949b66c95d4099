import { describe, expect, it } from 'vitest';
import { Interrupted, UserError } from '../../src/base/errors.ts';
import { type FailureKind, TransferFailure } from '../../src/share/failure.ts';
import { PATIENCE, persistently } from '../../src/share/retry.ts';

const patience = { ...PATIENCE, firstPauseMs: 0 };

async function triesUntilGivenUp(kind: FailureKind, moved: boolean): Promise<number> {
  let tries = 0;
  const work = async (): Promise<never> => {
    tries++;
    const failure = new TransferFailure(kind, 'GET x: it broke');
    failure.moved = moved;
    throw failure;
  };
  await expect(persistently(patience, undefined, work)).rejects.toThrow(
    `GET x: it broke, ${kind === 'silent' ? 3 : moved ? 60 : 6} times: given up; what has arrived is kept`,
  );
  return tries;
}

describe('persistently', () => {
  it('gives up after a bounded number of tries of each kind', async () => {
    expect(await triesUntilGivenUp('busy', false)).toBe(6);
    expect(await triesUntilGivenUp('unreachable', false)).toBe(6);
    expect(await triesUntilGivenUp('silent', false)).toBe(3);
    expect(await triesUntilGivenUp('cut', true)).toBe(60);
  });

  it('forgets failures once bytes go over', async () => {
    const kinds = Array.from({ length: 20 }, (_, i) => i % 5 === 4);
    let at = 0;
    const work = async (): Promise<string> => {
      const moved = kinds[at++];
      if (moved === undefined) return 'done';
      const failure = new TransferFailure('cut', 'x');
      failure.moved = moved;
      throw failure;
    };
    expect(await persistently(patience, undefined, work)).toBe('done');
  });

  it('passes on at once what trying again cannot help, and stops when it is told to', async () => {
    let tries = 0;
    const work = async (): Promise<never> => {
      tries++;
      throw new UserError('no such bucket');
    };
    await expect(persistently(patience, undefined, work)).rejects.toThrow('no such bucket');
    expect(tries).toBe(1);
    const controller = new AbortController();
    const busy = async (): Promise<never> => {
      setTimeout(() => controller.abort(), 20);
      throw new TransferFailure('busy', 'x', 60_000);
    };
    const started = performance.now();
    await expect(persistently(patience, controller.signal, busy)).rejects.toBeInstanceOf(Interrupted);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
