import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ImportOptions, importFeatures } from '../../src/exchange/import-features.ts';
import { fingerprintOf } from '../../src/store/fingerprint.ts';
import { planGc } from '../../src/store/gc.ts';
import { pinRun } from '../../src/store/pins.ts';
import { findFeatureSets } from '../../src/store/store-listing.ts';
import { claimPart } from '../../src/store/writer-lease.ts';
import { sampleSpec, writeRows } from '../store/sample.ts';
import { row, temporaryFolder } from '../support.ts';

const now = new Date('2026-03-04T12:00:00Z');
const utterances = ['d/a', 'd/b'].map((id) => row(id));

/** One vector of two values for each utterance. */
function options(store: string, changes: Partial<ImportOptions> = {}, value = 1): ImportOptions {
  return {
    dataset: 'd',
    feature: 'mine',
    kind: 'audio',
    source: {
      format: '.npy',
      count: 2,
      async *arrays(wanted = () => true) {
        for (const name of ['a', 'b']) {
          await Promise.resolve();
          const values = Float32Array.from([value, 2]);
          if (wanted([name])) yield { names: [name], place: `${name}.npy`, shape: [1, 2], values };
        }
      },
    },
    utterances,
    inputOf: ({ id }) => id,
    store,
    layout: { transpose: false, layer: null, dim: null },
    dtype: 'float32',
    onOverflow: 'error',
    onInvalid: 'error',
    onUnknown: 'error',
    firstSeconds: null,
    stepSeconds: null,
    provenance: {},
    ...changes,
  };
}

const setsIn = (store: string): string[] => readdirSync(join(store, 'd', 'mine'));

describe('the name of an import', () => {
  it('is refused where it is that of an extraction, also with replace', async () => {
    const store = temporaryFolder();
    const computation = { encoder: 'wavlm' };
    const extracted = { ...sampleSpec({ computation }), dataset: 'd', feature: 'mine' };
    expect(extracted.fingerprint).toBe(fingerprintOf(computation));
    writeRows(store, extracted, []);
    for (const replace of [undefined, { now }])
      await expect(importFeatures(options(store, { replace }))).rejects.toThrow(
        /^d\/mine holds audio features that were extracted \(mine@[0-9a-f]{12}\), and a name holds one set: choose another --name$/,
      );
    expect(setsIn(store)).toEqual([extracted.fingerprint]);
  });

  it('is refused where features of another kind, or another import, have it', async () => {
    const store = temporaryFolder();
    const { spec } = await importFeatures(options(store));
    await expect(importFeatures(options(store, { kind: 'text' }), true)).rejects.toThrow(
      /^d\/mine holds audio features that were imported \(mine@[0-9a-f]{12}\).*choose another --name, or .*--replace/,
    );
    const times = { stepSeconds: 0.02, firstSeconds: 0.01 };
    await expect(importFeatures(options(store, times))).rejects.toThrow(
      /^d\/mine holds another import \(mine@[0-9a-f]{12}, other in firstSeconds, stepSeconds\).*--replace/,
    );
    await expect(importFeatures(options(store, {}, 7))).rejects.toThrow(/other in content\)/);
    expect(setsIn(store)).toEqual([spec.fingerprint]);
    expect(await importFeatures(options(store))).toMatchObject({ written: 0, replaced: [] });
  });

  it.each([
    ['times', { stepSeconds: 0.02, firstSeconds: 0.01 }],
    ['another kind', { kind: 'text' as const }],
  ])('goes to the import that replaces it (%s); the former one is in the trash', async (_, changes) => {
    const store = temporaryFolder();
    const former = await importFeatures(options(store));
    pinRun([store], 'd', { run: 'r', fingerprints: { mine: former.spec.fingerprint } });
    const replacing = options(store, { ...changes, replace: { now } });
    const planned = await importFeatures(replacing, true);
    expect(planned.replaced).toMatchObject([{ fingerprint: former.spec.fingerprint, runs: 1 }]);
    expect(existsSync(former.folder)).toBe(true);
    const report = await importFeatures(replacing);
    expect(report).toMatchObject({ written: 2, replaced: planned.replaced });
    expect(findFeatureSets([store], 'd', 'mine').map(({ fingerprint }) => fingerprint)).toEqual([
      report.spec.fingerprint,
    ]);
    expect(existsSync(join(store, 'd', 'trash', '2026-03-04', 'mine', former.spec.fingerprint))).toBe(true);
    expect((await importFeatures(replacing)).replaced).toEqual([]);
  });

  it('is not taken from a set that is being written, or lies in a store of others', async () => {
    const store = temporaryFolder();
    const former = await importFeatures(options(store));
    const release = claimPart(join(former.folder, 'index'), 'import');
    const replacing = { replace: { now }, stepSeconds: 0.02, firstSeconds: 0.01 };
    await expect(importFeatures(options(store, replacing))).rejects.toThrow(/is writing: wait for it/);
    release();
    const own = temporaryFolder();
    await expect(importFeatures(options(own, { ...replacing, readStores: [store] }))).rejects.toThrow(
      `d/mine holds another import in ${store}, and this one goes to ${own}: choose another --name`,
    );
    expect(existsSync(former.folder)).toBe(true);
  });

  it('leaves a copy under no fingerprint where it is, and goes on where feature.json is gone', async () => {
    const store = temporaryFolder();
    const { folder } = await importFeatures(options(store));
    cpSync(folder, `${folder}.bak`, { recursive: true });
    const later = await importFeatures(options(store, { replace: { now } }, 7));
    expect(later.replaced.map((one) => one.folder)).toEqual([folder]);
    expect(existsSync(`${folder}.bak`)).toBe(true);
    await expect(importFeatures(options(store, {}, 7))).rejects.toThrow(/.bak is a copy of .*rename it back/);
    rmSync(`${folder}.bak`, { recursive: true });
    rmSync(join(later.folder, 'feature.json'));
    await expect(importFeatures(options(store, {}, 8))).rejects.toThrow(/feature.json is missing: run/);
    expect(await importFeatures(options(store, {}, 7))).toMatchObject({ written: 0 });
    expect(findFeatureSets([store], 'd', 'mine')).toHaveLength(1);
  });

  it('is compared by gc within one kind, and one way of making', async () => {
    const store = temporaryFolder();
    // as earlier versions let it come to be
    const spec = (kind: 'audio' | 'text', encoder: string) => ({
      ...sampleSpec({ kind, computation: { encoder, kind } }),
      dataset: 'd',
      feature: 'mine',
    });
    for (const one of [spec('audio', 'imported'), spec('text', 'imported'), spec('audio', 'wavlm')])
      writeRows(store, one, []);
    const gc = (feature?: string) =>
      planGc({ store, stores: [store], dataset: 'd', ids: [], now, account: null, feature });
    expect([gc().items, gc().kept.length]).toEqual([[], 3]);
    const { fingerprint } = spec('text', 'imported');
    expect(gc(`mine@${fingerprint.slice(0, 8)}`).kept.map(({ set }) => set.fingerprint)).toEqual([
      fingerprint,
    ]);
    expect(gc('other').kept).toEqual([]);
  });
});
