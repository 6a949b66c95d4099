import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type FeatureRow,
  type FeatureSpec,
  UserError,
  fingerprintOf,
  openFeatureSet,
} from '@lsgmer/datasets';
import { ThreadedSinks } from '../../src/run/threaded-sinks.ts';
import { localSinks } from '../../src/run/feature-sink.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-sinks-'));
afterAll(() => rmSync(folder, { recursive: true }));
/** What the build makes, as on a user's machine. */
const entry = fileURLToPath(new URL('../../dist/run/sink-thread.js', import.meta.url));

const computation = { encoder: 'toy' };
const spec = (feature: string): FeatureSpec => ({
  format: 1,
  dataset: 'toy',
  feature,
  fingerprint: fingerprintOf(computation),
  kind: 'audio',
  dim: 2,
  dtype: 'float16',
  firstSeconds: 0,
  stepSeconds: 1,
  computation,
  provenance: {},
});
const row = (name: string, values: number[]): FeatureRow => ({
  id: `toy/${name}`,
  split: 'train',
  n: values.length / 2,
  features: Float32Array.from(values),
  input: 'x',
});

let sinks: ThreadedSinks;
beforeAll(() => {
  sinks = new ThreadedSinks(entry);
});
afterAll(() => sinks.close());

describe('ThreadedSinks', () => {
  it('writes the same bytes as the writer of this thread, for several sets at once', async () => {
    const hashes: bigint[][] = [];
    for (const [name, opener] of [
      ['thread', sinks],
      ['local', localSinks],
    ] as const) {
      const store = join(folder, name);
      const [a, b] = [
        await opener.open({ store, spec: spec('a'), part: 'main' }),
        await opener.open({ store, spec: spec('b'), part: 'main' }),
      ];
      // Rows of one batch lie in one piece of memory: all of them arrive.
      const memory = Float32Array.of(1, 2, 3, 4, 5, 6);
      const results = await Promise.all([
        a.append({ ...row('one', [1, 2]), features: memory.subarray(0, 2) }),
        a.append({ ...row('two', [3, 4, 5, 6]), features: memory.subarray(2) }),
        b.append(row('one', [7, 8])),
        b.append(row('bad', [1, Number.NaN])),
        b.append(row('wide', [1e6, 0])),
      ]);
      expect(results).toEqual([
        null,
        null,
        null,
        expect.stringContaining('is NaN') as unknown,
        expect.stringContaining("beyond float16's range") as unknown,
      ]);
      await b.quarantine('toy/bad', 'not a number', 'x');
      await Promise.all([a.close(), b.close()]);
      const sets = ['a', 'b'].map((feature) => openFeatureSet({ stores: [store], dataset: 'toy', feature }));
      expect(sets.map((set) => set.ids())).toEqual([['toy/one', 'toy/two'], ['toy/one']]);
      expect([...(sets[1]?.quarantined().keys() ?? [])]).toEqual(['toy/bad']);
      hashes.push(sets.flatMap((set) => set.ids().map((id) => set.rowHash(id))));
    }
    expect(hashes[0]).toEqual(hashes[1]);
  });

  it('says what cannot be opened as one line of the user, and goes on', async () => {
    const store = join(folder, 'held');
    const held = await sinks.open({ store, spec: spec('a'), part: 'main' });
    const again = sinks.open({ store, spec: spec('a'), part: 'main' });
    await expect(again).rejects.toThrow(UserError);
    await expect(again).rejects.toThrow(/main/);
    const other = await sinks.open({ store, spec: spec('b'), part: 'main' });
    expect(await other.append(row('one', [1, 2]))).toBeNull();
    expect(await held.append(row('one', [1, 2]))).toBeNull();
    await Promise.all([held.close(), other.close()]);
    expect(openFeatureSet({ stores: [store], dataset: 'toy', feature: 'b' }).ids()).toEqual(['toy/one']);
  });

  if (process.getuid?.() === 0) console.log('skipped: root is stopped by no rights');
  it.skipIf(process.getuid?.() === 0)('reports a disk that fails as the user’s matter', async () => {
    const store = join(folder, 'readonly');
    const sink = await sinks.open({ store, spec: spec('a'), part: 'main' });
    await sink.append(row('one', [1, 2]));
    chmodSync(join(sink.folder, 'shards'), 0o500);
    await expect(sink.flush()).rejects.toThrow(UserError);
    chmodSync(join(sink.folder, 'shards'), 0o700);
    expect(readdirSync(join(sink.folder, 'shards'))).toEqual([]);
  });

  it('rejects what is waiting when it is closed', async () => {
    const short = new ThreadedSinks(entry);
    const opening = short.open({ store: join(folder, 'short'), spec: spec('a'), part: 'main' });
    const refused = expect(opening).rejects.toThrow('the writing thread was closed');
    await short.close();
    await refused;
    await expect(short.open({ store: folder, spec: spec('a'), part: 'main' })).rejects.toThrow('closed');
  });
});
