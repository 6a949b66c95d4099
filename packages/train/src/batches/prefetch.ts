import type { HostBatch } from '../head/contract.ts';
import type { Assembler, Place } from './assemble.ts';
import type { MicroBatch } from './epoch.ts';

/** A batch that is wanted, and its place in its update. */
export interface Wanted {
  readonly micro: MicroBatch;
  readonly place: Place;
}

/** Batches under way beside the one in use: one keeps the step from waiting, each costs its memory. */
export const PREFETCH_DEPTH = 1;

/**
 * Batches in order, the next ones assembled while one is in use. Depth changes nothing but the time: a batch
 * depends on what is wanted alone. Each is valid until the next one is asked for, and then given back.
 * @param depth batches ahead of the one in use; 0 assembles each when it is asked for
 * @throws what assembling throws, at the batch that it concerns
 */
export async function* prefetched<W extends Wanted>(
  assembler: Assembler,
  wanted: Iterable<W>,
  depth = PREFETCH_DEPTH,
): AsyncGenerator<{ readonly batch: HostBatch; readonly wanted: W }, void, undefined> {
  const source = wanted[Symbol.iterator]();
  const ahead: { wanted: W; batch: Promise<HostBatch> }[] = [];
  const fill = (count: number): void => {
    while (ahead.length < count) {
      const next = source.next();
      if (next.done === true) return;
      const batch = assembler.assemble(next.value.micro, next.value.place);
      // A failure is reported when its batch is asked for, or not at all.
      batch.catch(() => {});
      ahead.push({ wanted: next.value, batch });
    }
  };
  try {
    for (;;) {
      fill(1);
      const first = ahead.shift();
      if (first === undefined) return;
      const batch = await first.batch;
      fill(depth);
      try {
        yield { batch, wanted: first.wanted };
      } finally {
        assembler.release(batch);
      }
    }
  } finally {
    for (const { batch } of ahead) {
      const ready = await batch.catch(() => undefined);
      if (ready !== undefined) assembler.release(ready);
    }
  }
}
