import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exportFeatures, type ExportOptions } from '../../src/exchange/export-features.ts';
import type { ForeignArray } from '../../src/exchange/foreign-array.ts';
import { openForeign } from '../../src/exchange/open-foreign.ts';
import { type FeatureSet, openFeatureSet } from '../../src/store/feature-set-reader.ts';
import type { FeatureSpec } from '../../src/store/feature-spec.ts';
import { readIndexPart } from '../../src/store/index-part.ts';
import { decodeHalf } from '../../src/store/half.ts';
import {
  filesBelow,
  sampleFolder,
  sampleRows,
  sampleSpec,
  temporaryStore,
  writeRows,
} from '../store/sample.ts';

/** A set of 40 train and 3 test utterances. */
function sampleSet(store: string, changes: Partial<FeatureSpec> = {}): FeatureSet {
  const spec = sampleSpec(changes);
  writeRows(store, spec, [...sampleRows(spec, 40), ...sampleRows(spec, 3, 'test')]);
  const set = openFeatureSet({ stores: [store], dataset: 'sample', feature: spec.feature });
  onTestFinished(() => set.close());
  return set;
}

function options(set: FeatureSet, out: string, changes: Partial<ExportOptions> = {}): ExportOptions {
  return { set, out, to: 'npy', pool: null, force: false, ...changes };
}

async function readBack(folder: string): Promise<Map<string, ForeignArray>> {
  const arrays = new Map<string, ForeignArray>();
  for await (const one of (await openForeign(folder, {})).arrays()) {
    if ('problem' in one) throw new Error(`${one.place}: ${one.problem}`);
    arrays.set((one.names[0] as string).replace(/^.*?(?=sample\/)/, ''), one);
  }
  return arrays;
}

function wide(values: Uint16Array | Float32Array): Float32Array {
  if (values instanceof Float32Array) return values;
  const out = new Float32Array(values.length);
  decodeHalf(values, out);
  return out;
}

describe('an export', () => {
  const kinds = [{ kind: 'audio' }, { kind: 'text' }, { kind: 'audio', dtype: 'float32' }] as const;
  const all = (['npy', 'safetensors', 'parquet'] as const).flatMap((to) =>
    kinds.map((kind) => [to, kind] as const),
  );
  it.each(all)('as %s of %o holds every value, read back by our own readers', async (to, kind) => {
    const store = temporaryStore();
    const set = sampleSet(store, kind);
    const out = join(store, 'out');
    const report = await exportFeatures(options(set, out, { to }));
    expect(report.rows).toBe(43);
    const files = to === 'npy' ? 44 : 3;
    expect(filesBelow(out)).toHaveLength(files);
    const arrays = await readBack(out);
    expect([...arrays.keys()].sort()).toEqual(set.ids());
    for (const id of set.ids()) {
      const { n, values, tokenIds, tokenSpans } = set.read(id);
      const { shape, values: found, ...rest } = arrays.get(id) as ForeignArray;
      expect([shape, found]).toEqual([[n, set.dim], wide(values)]);
      if (to === 'parquet' && tokenIds) expect(rest).toMatchObject({ tokenIds, tokenSpans });
    }
  });

  it.each(['npy', 'safetensors', 'parquet'] as const)(
    'of means as %s has the mean over the steps',
    async (to) => {
      const store = temporaryStore();
      const set = sampleSet(store, { dim: 3 });
      await exportFeatures(options(set, join(store, 'out'), { to, pool: 'mean' }));
      const arrays = await readBack(join(store, 'out'));
      for (const id of set.ids()) {
        const { n, values } = set.read(id);
        const full = wide(values);
        const mean = [0, 1, 2].map((d) => {
          let sum = 0;
          for (let step = 0; step < n; step++) sum += full[step * 3 + d] as number;
          return Math.fround(sum / n);
        });
        const { shape, values: found } = arrays.get(id) as ForeignArray;
        expect(shape.at(-1)).toBe(3);
        expect([...found]).toEqual(mean);
      }
    },
  );

  it('names files by split, and records what it holds', async () => {
    const store = temporaryStore();
    const spec = sampleSpec();
    writeRows(store, spec, [
      ...sampleRows(spec, 2).map((one) => ({ ...one, split: 'a/../b' })),
      ...sampleRows(spec, 1, null),
    ]);
    const set = openFeatureSet({ stores: [store], dataset: 'sample', feature: spec.feature });
    await exportFeatures(options(set, join(store, 'out'), { to: 'safetensors' }));
    set.close();
    expect(filesBelow(join(store, 'out'))).toEqual([
      'a%2F%2E%2E%2Fb.safetensors',
      'all.safetensors',
      'lsgmer-export.json',
    ]);
    expect(JSON.parse(readFileSync(join(store, 'out', 'lsgmer-export.json'), 'utf8'))).toMatchObject({
      to: 'safetensors',
      rows: 3,
      files: { 'a%2F%2E%2E%2Fb.safetensors': 2, 'all.safetensors': 1 },
      spec: { fingerprint: spec.fingerprint },
    });
  });

  it('leaves nothing behind when a row is damaged, or it is stopped', async () => {
    for (const to of ['npy', 'safetensors', 'parquet'] as const) {
      const store = temporaryStore();
      const set = sampleSet(store);
      const [entry] = readIndexPart(join(sampleFolder(store), 'index', 'main.json')).shards;
      const shard = join(sampleFolder(store), 'shards', `sha256-${entry?.sha256}.arrow`);
      const bytes = readFileSync(shard);
      const at = (entry?.values[0]?.[0] ?? 0) + 20;
      bytes[at] = (bytes[at] as number) ^ 1;
      writeFileSync(shard, bytes);
      await expect(exportFeatures(options(set, join(store, 'out'), { to }))).rejects.toThrow(
        /is damaged: its xxh64/,
      );
      expect(readdirSync(store)).toEqual(['sample']);
      const signal = AbortSignal.abort();
      await expect(exportFeatures(options(set, join(store, 'out'), { to, signal }))).rejects.toThrow(
        /stopped/,
      );
      expect(readdirSync(store)).toEqual(['sample']);
    }
  });

  it('replaces an earlier export on request only, and nothing else ever', async () => {
    const store = temporaryStore();
    const set = sampleSet(store);
    const out = join(store, 'out');
    await exportFeatures(options(set, out));
    await expect(exportFeatures(options(set, out))).rejects.toThrow(/is an export already: .*--force/);
    await exportFeatures(options(set, out, { force: true, to: 'safetensors' }));
    expect(filesBelow(out)).toEqual(['lsgmer-export.json', 'test.safetensors', 'train.safetensors']);
    await expect(exportFeatures(options(set, join(store, 'sample'), { force: true }))).rejects.toThrow(
      /is no export/,
    );
    expect(readdirSync(store).sort()).toEqual(['out', 'sample']);
  });
});
