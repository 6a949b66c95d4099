import type { Readable } from 'node:stream';
import { Interrupted } from '../base/errors.ts';
import { networkError } from './failure.ts';

/** The pieces of a body; breaks become failures. */
export async function* bodyOf(
  body: Readable,
  what: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of body) {
      if (signal?.aborted) throw new Interrupted('stopped');
      yield piece as Uint8Array;
    }
  } catch (error) {
    throw stopped(error, signal) ?? networkError(error, what);
  }
}

/** What an aborted request throws, in our words. */
export function stopped(error: unknown, signal: AbortSignal | undefined): Interrupted | null {
  if (!signal?.aborted) return null;
  return error instanceof Interrupted ? error : new Interrupted('stopped');
}
