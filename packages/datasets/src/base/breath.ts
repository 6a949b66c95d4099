import { setImmediate } from 'node:timers/promises';

/**
 * Gives the event loop a turn in the middle of long synchronous work: signals are heard there.
 * @throws the signal's reason when it is aborted
 */
export async function breath(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
