import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { RowLosses } from '../../src/record/row-losses.ts';
import { halfToNumber } from '../support/tiny-head.ts';

const rows = [
  { id: 'demo/a', part: 'train' },
  { id: 'demo/b', part: 'dev' },
  { id: 'demo/c', part: 'test' },
] as const;

/** Losses by utterance as a reader of losses.arrow sees them. */
function read(bytes: Uint8Array): unknown[] {
  const table = tableFromIPC(bytes);
  return Array.from({ length: table.numRows }, (_, i) => {
    const row = table.get(i)?.toJSON() as { utterance_id: string; part: string; losses: Iterable<number> };
    return [row.utterance_id, row.part, ...row.losses];
  });
}

describe('RowLosses', () => {
  it('is an Arrow table of a float16 list an utterance, not a number where nothing was seen', () => {
    const losses = new RowLosses(rows, 2);
    losses.set(0, 0, 1.5);
    losses.set(1, 0, 0.1);
    losses.set(0, 1, 744.4);
    losses.set(1, 2, 1e9);
    const [a, b, c] = read(losses.encode()) as (string | number)[][];
    expect(a).toEqual(['demo/a', 'train', 1.5, halfToNumber(0x2e66)]);
    expect(b).toEqual(['demo/b', 'dev', 744.5, NaN]);
    expect(c).toEqual(['demo/c', 'test', NaN, 65504]);
    const type = String(tableFromIPC(losses.encode()).schema.fields[2]?.type);
    expect(type).toBe('FixedSizeList[2]<Float16>');
  });

  it('goes on from a checkpoint to the same bytes', () => {
    const whole = new RowLosses(rows, 3);
    const resumed = new RowLosses(rows, 3);
    for (const epoch of [0, 1, 2]) for (const row of [0, 1, 2]) whole.set(epoch, row, epoch + row / 7);
    resumed.restore(whole.tensor(2));
    for (const row of [0, 1, 2]) resumed.set(2, row, 2 + row / 7);
    expect(resumed.encode()).toEqual(whole.encode());
    expect(whole.tensor(2).shape).toEqual([2, 3]);
  });
});
