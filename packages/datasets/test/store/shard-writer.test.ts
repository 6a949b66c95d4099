import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/canonical-json.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { decodeHalf } from '../../src/store/half.ts';
import { hex64 } from '../../src/store/row-hash.ts';
import { MAX_SHARD_BYTES, ShardWriter } from '../../src/store/shard-writer.ts';
import { GOLDEN_ROWS, GOLDEN_SPECS, writeGoldenSets } from './golden-sets.ts';
import { filesBelow, sampleFolder, sampleRow, sampleRows, sampleSpec, temporaryStore } from './sample.ts';

interface GoldenRow {
  readonly id: string;
  readonly n: number;
  readonly values: readonly number[];
  readonly xxh64: string;
  readonly tokenIds?: readonly number[];
  readonly tokenSpans?: readonly number[];
}
interface Golden {
  readonly sets: readonly {
    readonly feature: string;
    readonly sha256: string;
    readonly rows: readonly GoldenRow[];
  }[];
}
const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/store/store.json', import.meta.url), 'utf8'),
) as Golden;

describe('shards that pyarrow, pandas, polars and datasets have read', () => {
  const store = (): string => {
    const folder = temporaryStore();
    writeGoldenSets(folder);
    return folder;
  };

  it.each(GOLDEN_SPECS.map((spec) => [spec.feature, spec] as const))(
    '%s: the same bytes are written here',
    (feature, spec) => {
      const expected = golden.sets.find((set) => set.feature === feature)?.sha256;
      const folder = sampleFolder(store(), spec);
      expect(filesBelow(join(folder, 'shards'))).toEqual([`sha256-${expected}.arrow`]);
      expect(sha256Hex(readFileSync(join(folder, 'shards', `sha256-${expected}.arrow`)))).toBe(expected);
    },
  );

  it.each(GOLDEN_SPECS.map((spec) => [spec.feature, spec] as const))(
    '%s: the reader sees what pyarrow saw',
    (feature, spec) => {
      const rows = golden.sets.find((set) => set.feature === feature)?.rows ?? [];
      const set = openFeatureSet({ stores: [store()], dataset: spec.dataset, feature });
      expect(rows.length).toBe(GOLDEN_ROWS);
      expect(set.ids()).toEqual(rows.map(({ id }) => id));
      for (const row of rows) {
        const { n, values, tokenIds, tokenSpans } = set.read(row.id);
        const wide = new Float32Array(values.length);
        if (values instanceof Uint16Array) decodeHalf(values, wide);
        else wide.set(values);
        expect(n).toBe(row.n);
        expect([...wide]).toEqual(row.values);
        expect(tokenIds && [...tokenIds]).toEqual(row.tokenIds);
        expect(tokenSpans && [...tokenSpans]).toEqual(row.tokenSpans);
        expect(hex64(set.rowHash(row.id))).toBe(row.xxh64);
      }
      set.close();
    },
  );
});

describe('ShardWriter', () => {
  it('writes record batches of 32 rows', () => {
    const folder = temporaryStore();
    const spec = sampleSpec();
    const writer = new ShardWriter(folder, spec, 'float16', 'train');
    for (const row of sampleRows(spec, 70)) expect(writer.append(row)).toBe(-1);
    const entry = writer.finish();
    const bytes = readFileSync(join(folder, 'shards', `sha256-${entry?.sha256}.arrow`));
    expect(tableFromIPC(bytes).batches.map((batch) => batch.numRows)).toEqual([32, 32, 6]);
    expect(entry).toMatchObject({ rows: 70, bytes: bytes.length, split: 'train', dtype: 'float16' });
    expect(entry?.values.length).toBe(3);
    for (const [start] of entry?.values ?? []) expect(start % 64).toBe(0);
  });

  it('makes no file for no rows, and leaves none when it is dropped', () => {
    const folder = temporaryStore();
    const spec = sampleSpec();
    expect(new ShardWriter(folder, spec, 'float16', null).finish()).toBeNull();
    const dropped = new ShardWriter(folder, spec, 'float16', null);
    for (const row of sampleRows(spec, 40)) dropped.append(row);
    expect(filesBelow(folder).length).toBe(1);
    dropped.discard();
    expect(filesBelow(folder)).toEqual([]);
  });

  it('does not take a row with a value that its type can not hold', () => {
    const spec = sampleSpec();
    const folder = temporaryStore();
    const bad = { ...sampleRow(spec, 1), n: 1, features: Float32Array.of(0, 0, 0, 70000, 0, 0, Infinity, 0) };
    const narrow = new ShardWriter(folder, spec, 'float16', null);
    expect([
      narrow.append(sampleRow(spec, 0)),
      narrow.append(bad),
      narrow.append(sampleRow(spec, 2)),
    ]).toEqual([-1, 3, -1]);
    expect(narrow.finish()?.rows).toBe(2);
    expect(new ShardWriter(folder, spec, 'float32', null).append(bad)).toBe(6);
  });

  it('says when a row would take it past 2 GiB', () => {
    const spec = sampleSpec({ dim: 2 });
    const writer = new ShardWriter(temporaryStore(), spec, 'float32', null);
    const row = (length: number) => ({ ...sampleRow(spec, 0), features: { length } as Float32Array });
    expect(writer.isTooFullFor(row(1000))).toBe(false);
    expect(writer.isTooFullFor(row(MAX_SHARD_BYTES / 4))).toBe(true);
  });
});
