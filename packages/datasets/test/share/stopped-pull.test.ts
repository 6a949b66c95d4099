import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planGc } from '../../src/store/gc.ts';
import { repairSet } from '../../src/store/repair.ts';
import { locateSets, type SetLocation } from '../../src/store/set-location.ts';
import { markPull } from '../../src/store/stopped-pull.ts';
import { findFeatureSets, summarise } from '../../src/store/store-listing.ts';
import { isDamaged, verifySet } from '../../src/store/verify.ts';
import { temporaryStore } from '../store/sample.ts';
import { contents, isWholeStore, pull, push, sampleStore } from './sample-store.ts';
import { SharingServer } from './sharing-server.ts';

describe('a pull', () => {
  it('that is stopped after its shards is told, and neither repair nor gc touches them', async () => {
    const server = await SharingServer.start();
    const store = sampleStore();
    await push('s3://bucket/p', store, server);
    const fresh = temporaryStore();
    const [name = ''] = locateSets([store], 'sample').map(({ feature }) => feature);
    // everything is there but the part that lists it
    await pull('s3://bucket/p', fresh, server, { feature: name });
    const [set] = locateSets([fresh], 'sample') as [SetLocation];
    rmSync(join(set.folder, 'index'), { recursive: true });
    markPull(set.folder, 's3://bucket/p');
    const check = await verifySet(set);
    expect([isDamaged(check), check.unlisted.every(({ rows }) => rows > 0)]).toEqual([false, true]);
    const summary = findFeatureSets([fresh], 'sample', name).map((one) => summarise(one, [fresh]));
    expect(summary[0]?.problems).toEqual([
      expect.stringMatching(/\d shards?, and no index: a pull from s3:\/\/bucket\/p was stopped here/),
    ]);
    const before = contents(fresh);
    expect(repairSet(check, { now: new Date() })).toMatchObject({ parts: [], removed: [], redo: [] });
    const inAMonth = new Date(Date.now() + 30 * 86_400_000);
    const plan = planGc({
      store: fresh,
      stores: [fresh],
      dataset: 'sample',
      ids: null,
      now: inAMonth,
      account: null,
    });
    expect([plan.items, plan.lost]).toMatchObject([[], [{ why: expect.stringContaining('run it again') }]]);
    expect(contents(fresh)).toEqual(before);
    await pull('s3://bucket/p', fresh, server);
    expect(contents(fresh)).toEqual(contents(store));
    expect(await isWholeStore(fresh)).toBe(true);
  });
});
