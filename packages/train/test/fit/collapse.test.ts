import { describe, expect, it } from 'vitest';
import { silent } from '@lsgmer/datasets';
import { CollapseWatch } from '../../src/fit/collapse.ts';
import type { EpochRecord } from '../../src/record/run-state.ts';

const epochs = (...predicted: number[][]): EpochRecord[] =>
  predicted.map((one, i) => ({ epoch: i + 1, predicted: one, utterances: 200 }) as unknown as EpochRecord);

function warnings(records: readonly EpochRecord[], before: readonly EpochRecord[] = []): string[] {
  const found: string[] = [];
  const reporter = { ...silent, warn: (line: string) => void found.push(line) };
  const watch = new CollapseWatch('full Ses01 seed 1', ['angry', 'sad'], reporter, before);
  for (const record of records) watch.seen(record);
  return found;
}

describe('CollapseWatch', () => {
  it('warns once, after three epochs in a row of one class', () => {
    const records = epochs([0, 200], [200, 0], [0, 200], [1, 199], [2, 198], [0, 200], [0, 200]);
    expect(warnings(records.slice(0, 4))).toEqual([]);
    expect(warnings(records)).toEqual([
      'full Ses01 seed 1: since epoch 3 nearly everything is predicted as sad: lower lr, or set class.weights or ' +
        'sampling=balanced; lsgmer train --check tells more',
    ]);
  });

  it('counts the epochs of a run that goes on, and forgets those before another class', () => {
    const records = epochs([0, 200], [0, 200], [0, 200]);
    expect(warnings(records.slice(2), records.slice(0, 2))).toHaveLength(1);
    expect(warnings(epochs([0, 200], [0, 200], [3, 197], [0, 200], [0, 200]))).toEqual([]);
  });
});
