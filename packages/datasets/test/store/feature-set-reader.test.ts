import { describe, expect, it } from 'vitest';
import { FeatureSet, openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import type { FeatureSpec } from '../../src/store/feature-spec.ts';
import { asStored, sampleRow, sampleRows, sampleSpec, temporaryStore, writeRows } from './sample.ts';

function written(spec: FeatureSpec, count = 40): FeatureSet {
  const store = temporaryStore();
  writeRows(store, spec, sampleRows(spec, count));
  return openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
}

describe('round trip', () => {
  it.each([
    ['text', 'float16'],
    ['text', 'float32'],
    ['audio', 'float16'],
    ['audio', 'float32'],
  ] as const)('%s as %s', (kind, dtype) => {
    const spec = sampleSpec({ kind, dtype });
    const set = written(spec, 70);
    expect(set.spec).toEqual(spec);
    expect([set.dtype, set.dim, set.fingerprint]).toEqual([dtype, 8, spec.fingerprint]);
    const rows = sampleRows(spec, 70);
    expect(set.ids()).toEqual(rows.map(({ id }) => id));
    expect(set.inputs()).toEqual(new Map(rows.map(({ id, input }) => [id, input])));
    for (const row of rows.reverse()) {
      expect(set.length(row.id)).toBe(row.n);
      expect(set.read(row.id)).toEqual(asStored(row, dtype));
      expect(set.read(row.id)).toEqual(asStored(row, dtype));
    }
    set.close();
  });
});

describe('readInto', () => {
  it("fills the caller's memory from an element on, and nothing else", () => {
    const set = written(sampleSpec());
    const row = asStored(sampleRow(sampleSpec(), 5), 'float16');
    const target = new Uint16Array(200).fill(0x5555).subarray(10, 190); // a view into larger memory
    expect(set.readInto(row.id, target, 30)).toBe(row.n);
    expect(target.subarray(30, 30 + row.values.length)).toEqual(row.values);
    const rest = [...target.subarray(0, 30), ...target.subarray(30 + row.values.length)];
    expect(new Set(rest)).toEqual(new Set([0x5555]));
    set.close();
  });

  it('decodes float16 into float32, and never rounds float32', () => {
    const narrow = written(sampleSpec());
    const row = sampleRow(sampleSpec(), 5);
    const target = new Float32Array(row.features.length + 2).fill(9);
    narrow.readInto(row.id, target, 1);
    expect(target[0]).toBe(9);
    for (const [k, value] of row.features.entries()) {
      expect(Math.abs((target[k + 1] ?? NaN) - value)).toBeLessThanOrEqual(
        Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
      );
    }
    narrow.close();
    const wide = written(sampleSpec({ dtype: 'float32' }));
    expect(() => wide.readInto(row.id, new Uint16Array(1000))).toThrow(
      'holds float32: read it into a Float32Array',
    );
    wide.close();
  });

  it('refuses a target that is too small', () => {
    const set = written(sampleSpec());
    const { id, features } = sampleRow(sampleSpec(), 5);
    expect(() => set.readInto(id, new Uint16Array(features.length), 1)).toThrow(
      `${features.length} values do not fit ${features.length} elements from 1 on`,
    );
    set.close();
  });
});

describe('readPadded', () => {
  it.each(['float16', 'float32'] as const)(
    'puts %s rows side by side, with zeros behind them',
    async (dtype) => {
      const spec = sampleSpec({ dtype });
      const set = written(spec);
      const ids = set
        .ids()
        .filter((_, i) => i % 3 === 0)
        .reverse();
      const steps = Math.max(...ids.map((id) => set.length(id))) + 1;
      const width = steps * set.dim;
      const target = (
        dtype === 'float16'
          ? new Uint16Array(ids.length * width + 5)
          : new Float32Array(ids.length * width + 5)
      ).fill(77);
      const lengths = await set.readPadded(ids, steps, target);
      for (const [i, id] of ids.entries()) {
        const { n, values } = set.read(id);
        expect(lengths[i]).toBe(n);
        expect(target.subarray(i * width, i * width + values.length)).toEqual(values);
        expect(target.subarray(i * width + values.length, (i + 1) * width).every((x) => x === 0)).toBe(true);
      }
      expect([...target.subarray(-5)]).toEqual([77, 77, 77, 77, 77]);
      set.close();
    },
  );

  it('reads ahead while the thread that asked is blocked', async () => {
    const set = written(sampleSpec());
    const ids = set.ids().slice(0, 8);
    const target = new Uint16Array(8 * 12 * 8).fill(77);
    const later = set.readPadded(ids, 12, target);
    const isThere = (id: string, i: number): boolean => {
      const { values } = set.read(id);
      return values.every((value, at) => target[i * 12 * 8 + at] === value);
    };
    // Nothing here gives the event loop a turn.
    const deadline = performance.now() + 30_000;
    while (!ids.every(isThere) && performance.now() < deadline) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    expect(ids.every(isThere)).toBe(true);
    await later;
    set.close();
  });

  it('decodes float16 into float32', async () => {
    const set = written(sampleSpec());
    const [first, second] = set.ids() as [string, string];
    const batch = new Float32Array(2 * 12 * 8);
    const alone = new Float32Array(12 * 8);
    await set.readPadded([second, first], 12, batch);
    set.readInto(first, alone);
    expect(batch.subarray(12 * 8)).toEqual(alone);
    set.close();
  });

  it('refuses what does not fit, and names what is not there', async () => {
    const set = written(sampleSpec());
    const [id] = set.ids() as [string];
    await expect(set.readPadded([id], 12, new Uint16Array(95))).rejects.toThrow(
      '1 x 12 x 8 values do not fit 95 elements',
    );
    const n = set.length(id);
    await expect(set.readPadded([id], n - 1, new Uint16Array(96))).rejects.toThrow(
      `${id} has ${n} steps, and the batch has room for ${n - 1}`,
    );
    await expect(set.readPadded([id, 'sample/none'], 12, new Uint16Array(192))).rejects.toThrow(
      'has no row for sample/none',
    );
    set.close();
  });
});

describe('rows that are not there', () => {
  it('are named, with the reason where it is known', () => {
    const store = temporaryStore();
    const spec = sampleSpec();
    const writer = openFeatureSetWriter({ store, spec, part: 'main' });
    writer.append(sampleRow(spec, 0));
    writer.quarantine('sample/bad', 'the WAV has 0 samples', 'x');
    writer.close();
    const set = openFeatureSet({ stores: [store], dataset: 'sample', feature: spec.feature });
    const name = `sample/sample-audio@${spec.fingerprint.slice(0, 12)}`;
    expect([set.has('sample/bad'), set.has('sample/none')]).toEqual([false, false]);
    expect(() => set.read('sample/bad')).toThrow(
      `${name} has no row for sample/bad, which could not be computed: the WAV has 0 samples`,
    );
    expect(() => set.length('sample/none')).toThrow(
      `${name} has no row for sample/none: extract it, or leave it out`,
    );
    set.close();
  });
});
