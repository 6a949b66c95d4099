import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  type FeatureSpec,
  fingerprintOf,
  openFeatureSet,
  openFeatureSetWriter,
  Rng,
  UserError,
} from '@lsgmer/datasets';
import { Assembler } from '../../src/batches/assemble.ts';
import { Loader } from '../../src/batches/loader.ts';
import { joinFeatures } from '../../src/batches/source.ts';
import { loadedSources, storedSource } from '../../src/batches/stored-source.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-loader-'));
/** As the build made it (global-setup.ts): a thread runs no TypeScript on Node 20. */
const entry = new URL('../../dist/batches/loader-worker.js', import.meta.url);
afterAll(() => rmSync(folder, { recursive: true }));

function specOf(feature: string, dtype: 'float16' | 'float32'): FeatureSpec {
  const computation = { encoder: feature, dtype };
  return {
    format: 1,
    dataset: 'demo',
    feature,
    fingerprint: fingerprintOf(computation),
    kind: 'audio',
    dim: 6,
    dtype,
    firstSeconds: 0.0125,
    stepSeconds: 0.02,
    computation,
    provenance: {},
  };
}

const ids = Array.from({ length: 40 }, (_, i) => `demo/u${i}`);

/** A set of 40 utterances of 1 to 12 steps in a store of its own. */
function writeSet(dtype: 'float16' | 'float32' = 'float16'): string {
  const store = mkdtempSync(join(folder, 'store-'));
  const rng = Rng.for('loader', dtype);
  const writer = openFeatureSetWriter({ store, spec: specOf('frames', dtype), part: 'main' });
  for (const id of ids) {
    const n = 1 + rng.int(12);
    writer.append({ id, split: null, n, features: rng.normals(n * 6), input: '0'.repeat(64) });
  }
  writer.close();
  return store;
}

function opened(store: string): ReturnType<typeof openFeatureSet> {
  const set = openFeatureSet({ stores: [store], dataset: 'demo', feature: 'frames' });
  onTestFinished(() => set.close());
  return set;
}

describe('Loader', () => {
  for (const dtype of ['float16', 'float32'] as const) {
    it(`fills batches of ${dtype} as the main thread would, in memory that held something else`, async () => {
      const store = writeSet(dtype);
      const set = opened(store);
      const { sources, loader } = loadedSources([set], [store], entry);
      onTestFinished(() => loader.close());
      const rows = ids.map((id) => ({ id, label: 0 }));
      const config = { modality: 'audio', d: 8, heads: 2, 'audio.alexnet': 'none', 'classifier.dropout': 0 };
      const shape = { rows: 5, text: 0, audio: 13, map: 0 };
      const assemblers = [storedSource(set), sources[0]].map((audio) => {
        const used = { audio: audio as NonNullable<typeof audio> };
        return new Assembler(lsgmer, config, 2, joinFeatures(rows, used), used);
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
    });
  }

  it('takes memory over and gives the same memory back', async () => {
    const store = writeSet();
    const { sources, loader } = loadedSources([opened(store)], [store], entry);
    onTestFinished(() => loader.close());
    const memory = new ArrayBuffer(2 * 2 * 12 * 6);
    const pending = sources[0]?.readBatch?.([ids[0] as string], 12, 2, memory);
    expect(memory.byteLength).toBe(0);
    expect((await pending)?.byteLength).toBe(288);
  });

  it('refuses a damaged row as the main thread does, and goes on', async () => {
    const store = writeSet();
    const set = opened(store);
    const shards = join(store, 'demo/frames', set.fingerprint, 'shards');
    const path = join(shards, readdirSync(shards)[0] as string);
    const bytes = readFileSync(path);
    const values = new Uint16Array(12 * 6);
    const n = set.readInto(ids[2] as string, values);
    const at = bytes.indexOf(Buffer.from(values.buffer, 0, n * 12));
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    const { loader } = loadedSources([set], [store], entry);
    onTestFinished(() => loader.close());
    const read = (id: string): Promise<ArrayBuffer> => loader.read(0, [id], 12, 1, new ArrayBuffer(144));
    const failure = await read(ids[2] as string).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as Error).message).toMatch(/demo\/u2\b.*xxh64/);
    expect((await read(ids[3] as string)).byteLength).toBe(144);
  });

  it('says which row is missing', async () => {
    const store = writeSet();
    const { loader } = loadedSources([opened(store)], [store], entry);
    onTestFinished(() => loader.close());
    await expect(loader.read(0, ['demo/nobody'], 1, 1, new ArrayBuffer(12))).rejects.toThrow(
      /demo\/frames@\w+ has no row for demo\/nobody/,
    );
  });

  it('rejects what is under way when it is closed, and everything after', async () => {
    const store = writeSet();
    const { loader } = loadedSources([opened(store)], [store], entry);
    const pending = loader
      .read(0, ids, 12, 40, new ArrayBuffer(40 * 144))
      .catch((error: Error) => error.message);
    await loader.close();
    expect(await pending).toBe('the loader is closed');
    await expect(loader.read(0, ids, 12, 40, new ArrayBuffer(40 * 144))).rejects.toThrow(
      'the loader is closed',
    );
  });

  it('starts no thread before the first batch', async () => {
    const loader = new Loader([], pathToFileURL('/nowhere/at-all.mjs'));
    await loader.close();
    await expect(loader.read(0, [], 1, 1, new ArrayBuffer(1))).rejects.toThrow('the loader is closed');
  });
});
