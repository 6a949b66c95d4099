import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type FeatureSpec, fingerprintOf, openFeatureSet, openFeatureSetWriter, Rng } from '@lsgmer/datasets';
import { Assembler } from '../../src/batches/assemble.ts';
import { type FeatureSource, joinFeatures } from '../../src/batches/source.ts';
import { storedSource } from '../../src/batches/stored-source.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';

const spec: FeatureSpec = {
  format: 1,
  dataset: 'demo',
  feature: 'random-tiny-wavlm',
  fingerprint: fingerprintOf({ encoder: 'x' }),
  kind: 'audio',
  dim: 2,
  dtype: 'float16',
  firstSeconds: 0.0125,
  stepSeconds: 0.02,
  computation: { encoder: 'x' },
  provenance: {},
};

describe('storedSource', () => {
  it('reads rows of the store by id, with lengths, times, checksums and reasons', async () => {
    const store = mkdtempSync(join(tmpdir(), 'lsgmer-source-'));
    onTestFinished(() => rmSync(store, { recursive: true }));
    const writer = openFeatureSetWriter({ store, spec, part: 'main' });
    const row = (id: string, features: number[]) => ({
      id,
      split: null,
      n: features.length / 2,
      features: Float32Array.from(features),
      input: '0'.repeat(64),
    });
    writer.append(row('demo/a', [1, -2, 0.5, 4]));
    writer.append(row('demo/b', [3, 3]));
    writer.quarantine('demo/c', '0 samples', '1'.repeat(64));
    writer.close();
    const set = openFeatureSet({ stores: [store], dataset: 'demo', feature: spec.feature });
    onTestFinished(() => set.close());
    const source = storedSource(set);
    expect(source).toMatchObject({ dim: 2, dtype: 'float16', firstSeconds: 0.0125, stepSeconds: 0.02 });
    const rows = ['demo/a', 'demo/b', 'demo/c', 'demo/d'].map((id) => ({ id, label: 0 }));
    const joined = joinFeatures(rows, { audio: source });
    expect(joined.lengths.map((one) => one.audio)).toEqual([2, 1]);
    expect(joined.missing).toEqual([
      { id: 'demo/c', reason: 'no random-tiny-wavlm (0 samples)' },
      { id: 'demo/d', reason: 'no random-tiny-wavlm' },
    ]);
    const target = new Uint16Array(6);
    await source.readInto('demo/a', target, 1);
    expect([...target]).toEqual([0, 0x3c00, 0xc000, 0x3800, 0x4400, 0]);
    expect(source.checksum('demo/a')).toMatch(/^[0-9a-f]{16}$/);
    expect(source.checksum('demo/a')).not.toBe(source.checksum('demo/b'));
  });

  it.each(['float16', 'float32'] as const)(
    'gives batches of %s read ahead as it does row by row, in memory that held something else',
    async (dtype) => {
      const store = mkdtempSync(join(tmpdir(), 'lsgmer-source-'));
      onTestFinished(() => rmSync(store, { recursive: true }));
      const rows = Array.from({ length: 40 }, (_, i) => ({ id: `demo/u${i}`, label: 0 }));
      const rng = Rng.for('stored source', dtype);
      const writer = openFeatureSetWriter({ store, spec: { ...spec, dtype, dim: 6 }, part: 'main' });
      for (const { id } of rows) {
        const n = 1 + rng.int(12);
        writer.append({ id, split: null, n, features: rng.normals(n * 6), input: '0'.repeat(64) });
      }
      writer.close();
      const set = openFeatureSet({ stores: [store], dataset: 'demo', feature: spec.feature });
      onTestFinished(() => set.close());
      const { readBatch, ...byRow } = storedSource(set);
      expect(readBatch).toBeDefined();
      const config = { modality: 'audio', d: 8, heads: 2, 'audio.alexnet': 'none', 'classifier.dropout': 0 };
      const shape = { rows: 5, text: 0, audio: 13, map: 0 };
      const assemblers = [byRow, storedSource(set)].map((audio: FeatureSource) => {
        return new Assembler(lsgmer, config, 2, joinFeatures(rows, { audio }), { audio });
      });
      for (const items of [[3, 1, 20, 39, 7], [4, 5], [11]]) {
        const [expected, got] = await Promise.all(
          assemblers.map(async (one) => {
            const batch = await one.assemble({ shape, items }, { rows: items.length, firstRow: 0 });
            const feeds = Object.fromEntries(Object.entries(batch.feeds).map(([k, v]) => [k, [...v]]));
            one.release(batch);
            return { ids: batch.ids, feeds };
          }),
        );
        expect(got).toEqual(expected);
      }
    },
  );
});
