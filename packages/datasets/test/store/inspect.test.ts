import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../src/base/errors.ts';
import { silent } from '../../src/base/reporter.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import type { FeatureRow } from '../../src/store/feature-spec.ts';
import { inspectSet } from '../../src/store/inspect.ts';
import { sampleSpec, temporaryStore, writeRows } from './sample.ts';

const spec = sampleSpec({ dim: 2, dtype: 'float32' });
const row = (id: string, values: number[]): FeatureRow => ({
  id: `sample/${id}`,
  split: null,
  n: values.length / 2,
  features: Float32Array.from(values),
  input: id,
});

async function inspected(rows: FeatureRow[], speakers: Record<string, string> = {}) {
  const store = temporaryStore();
  writeRows(store, spec, rows);
  const set = openFeatureSet({ stores: [store], dataset: 'sample', feature: 'sample-audio' });
  try {
    return await inspectSet(set, (id) => speakers[id] ?? null);
  } finally {
    set.close();
  }
}

describe('inspectSet', () => {
  it('sums up dimensions over all steps', async () => {
    const { dimensions, utterances, steps } = await inspected([
      row('a', [1, 5, 3, 5]),
      row('b', [2, -8, 6, 4]),
    ]);
    expect([utterances, steps]).toEqual([2, 4]);
    // dimension 0: 1 3 2 6; dimension 1: 5 5 -8 4
    expect(dimensions[0]).toMatchObject({ mean: 3, largest: 6, largestAt: 'sample/b', constant: 0 });
    expect(dimensions[0]?.sd).toBeCloseTo(Math.sqrt(14 / 4), 12);
    expect(dimensions[1]).toMatchObject({ mean: 1.5, largest: 8, largestAt: 'sample/b', constant: 0.5 });
    expect(dimensions[1]?.sd).toBeCloseTo(Math.sqrt((2 * 3.5 ** 2 + 9.5 ** 2 + 2.5 ** 2) / 4), 12);
  });

  it('stops when it is told to, between two rows', async () => {
    const store = temporaryStore();
    writeRows(store, spec, [row('a', [1, 2]), row('b', [1, 2]), row('c', [1, 2])]);
    const set = openFeatureSet({ stores: [store], dataset: 'sample', feature: 'sample-audio' });
    const stop = new AbortController();
    let seen = 0;
    // as a signal of the system does: when the event loop has its turn
    setImmediate(() => stop.abort(new Interrupted('stopped')));
    const reporter = { ...silent, progress: () => void seen++ };
    const stopped = inspectSet(set, () => null, { reporter, signal: stop.signal });
    await expect(stopped).rejects.toThrow(Interrupted);
    expect(seen).toBeLessThan(3);
    set.close();
  });

  it('keeps the digits of a small spread around a large mean', async () => {
    const { dimensions } = await inspected([row('a', [8_388_608, 0, 8_388_609, 0, 8_388_610, 0])]);
    expect(dimensions[0]?.mean).toBe(8_388_609);
    expect(dimensions[0]?.sd).toBeCloseTo(Math.sqrt(2 / 3), 9);
  });

  it('names constant rows and rows with equal values, and gives norms by speaker', async () => {
    const found = await inspected(
      [row('a', [3, 4, 3, 4]), row('b', [3, 4]), row('c', [3, 4]), row('d', [0, 10])],
      {
        'sample/a': 'x',
        'sample/b': 'x',
        'sample/d': 'y',
      },
    );
    expect(found.constantRows).toEqual(['sample/a']);
    expect(found.duplicates).toEqual([['sample/b', 'sample/c']]);
    expect(found.nonFiniteRows).toEqual([]);
    expect(found.speakers).toEqual([
      { speaker: 'x', utterances: 2, mean: 5, sd: 0 },
      { speaker: 'y', utterances: 1, mean: 10, sd: 0 },
    ]);
  });
});
