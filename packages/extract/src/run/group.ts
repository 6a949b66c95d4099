/** Limits of one batch: rows, and their lengths together (tokens or samples). */
export interface BatchLimit {
  readonly rows: number;
  readonly length: number;
}

/**
 * Batches of rows with equal keys, each within the limits (a single row may exceed `length`). Batches come in the
 * order of their first row, so that results stay near the order of the manifest. Pure.
 */
export function groupByKey<T>(
  rows: readonly T[],
  keyOf: (row: T) => number,
  lengthOf: (row: T) => number,
  limit: BatchLimit,
): T[][] {
  const batches: T[][] = [];
  const open = new Map<number, { batch: T[]; length: number }>();
  for (const row of rows) {
    const key = keyOf(row);
    const length = lengthOf(row);
    const last = open.get(key);
    if (last !== undefined && last.batch.length < limit.rows && last.length + length <= limit.length) {
      last.batch.push(row);
      last.length += length;
      continue;
    }
    const batch = [row];
    batches.push(batch);
    open.set(key, { batch, length });
  }
  return batches;
}

/** Limits of one window. */
export interface WindowLimit {
  readonly rows: number;
  readonly seconds: number;
}

/**
 * Consecutive windows of at most `rows` rows and `seconds` seconds (a single row may exceed them). The first one is as small
 * as `first` says, and each next one may be twice as large until the limit is reached. Pure.
 */
export function windowsOf<T>(
  rows: readonly T[],
  secondsOf: (row: T) => number,
  most: WindowLimit,
  first: WindowLimit = most,
): T[][] {
  const windows: T[][] = [];
  let current: T[] = [];
  let seconds = 0;
  let limit = first;
  for (const row of rows) {
    const more = secondsOf(row);
    if (current.length > 0 && (current.length >= limit.rows || seconds + more > limit.seconds)) {
      windows.push(current);
      current = [];
      seconds = 0;
      limit = {
        rows: Math.min(most.rows, 2 * limit.rows),
        seconds: Math.min(most.seconds, 2 * limit.seconds),
      };
    }
    current.push(row);
    seconds += more;
  }
  if (current.length > 0) windows.push(current);
  return windows;
}
