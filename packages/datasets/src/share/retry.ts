import { setTimeout as pause } from 'node:timers/promises';
import { Interrupted, UserError } from '../base/errors.ts';
import { TransferFailure } from './failure.ts';

/** How patient a transfer is. */
export interface Patience {
  /** Tries in a row that bring nothing. */
  readonly tries: number;
  /** Breaks of one file during which bytes went over. */
  readonly breaks: number;
  /** Silences in a row: each one costs the whole time that is allowed. */
  readonly silences: number;
  /** Pause after the first failure; each further one doubles it, up to 30 s. */
  readonly firstPauseMs: number;
  /** Silence after which a connection is given up. */
  readonly silenceMs: number;
}

export const PATIENCE: Patience = { tries: 6, breaks: 60, silences: 3, firstPauseMs: 500, silenceMs: 60_000 };

const LONGEST_PAUSE_MS = 30_000;

/**
 * Does a piece of work until it succeeds, a bounded number of times.
 * @throws UserError that says what went wrong last; Interrupted once the signal is given.
 */
export async function persistently<T>(
  patience: Patience,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  let idle = 0;
  let breaks = 0;
  let silent = 0;
  for (;;) {
    stopIfAsked(signal);
    try {
      return await work();
    } catch (error) {
      stopIfAsked(signal);
      if (!(error instanceof TransferFailure)) throw error;
      if (error.moved) {
        idle = 0;
        silent = 0;
        breaks++;
      } else idle++;
      if (error.kind === 'silent') silent++;
      if (idle >= patience.tries || breaks >= patience.breaks || silent >= patience.silences)
        throw givenUp(error, idle + breaks);
      const doubled = patience.firstPauseMs * 2 ** Math.max(0, idle - 1);
      const wait = error.waitMs ?? Math.min(error.moved ? patience.firstPauseMs : doubled, LONGEST_PAUSE_MS);
      await pause(wait, undefined, signal ? { signal } : {}).catch(() => stopIfAsked(signal));
    }
  }
}

export function stopIfAsked(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new Interrupted('stopped: what has arrived whole, and the beginnings of files, are kept');
}

function givenUp(failure: TransferFailure, tries: number): UserError {
  return new UserError(
    `${failure.message}, ${tries} times: given up; what has arrived is kept, and the same command goes on`,
  );
}
