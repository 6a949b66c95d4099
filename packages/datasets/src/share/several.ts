import { severalAtOnce } from '../store/shard-scan.ts';

/** Runs `work` over all items, several at once; the first failure stops the others, and is the one that is thrown. */
export async function severalOrNone<T>(
  items: readonly T[],
  atOnce: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const others = new AbortController();
  const both = signal === undefined ? others.signal : AbortSignal.any([signal, others.signal]);
  let first: unknown;
  let failed = false;
  await severalAtOnce(items, Math.max(1, Math.min(atOnce, items.length)), async (item) => {
    if (failed) return;
    try {
      await work(item, both);
    } catch (error) {
      if (failed) return;
      failed = true;
      first = error;
      others.abort();
    }
  });
  if (failed) throw first;
}
