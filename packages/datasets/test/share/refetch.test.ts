import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRemote } from '../../src/share/open-remote.ts';
import { refetchDamaged, refetchRows } from '../../src/share/refetch.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { repairSet } from '../../src/store/repair.ts';
import { locateSets, type SetLocation } from '../../src/store/set-location.ts';
import { isDamaged, verifySet } from '../../src/store/verify.ts';
import { forgetInputs } from '../store/older-shards.ts';
import { sampleRow, temporaryStore } from '../store/sample.ts';
import { AUDIO, contents, pull, push, sampleStore, TEXT, writeSampleManifest } from './sample-store.ts';

const now = new Date('2026-01-01T00:00:00Z');

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  writeFileSync(path, bytes);
}

/** @param older the shards do not say what their rows were computed from */
async function pulled(older = false): Promise<{
  place: string;
  store: string;
  set: SetLocation;
  original: Map<string, string>;
}> {
  const place = join(temporaryStore(), 'remote');
  const from = sampleStore();
  if (older) for (const { folder } of locateSets([from], 'sample')) forgetInputs(folder);
  await push(place, from);
  const store = temporaryStore();
  await pull(place, store);
  const set = locateSets([store], 'sample', AUDIO.feature)[0] as SetLocation;
  return { place, store, set, original: contents(store) };
}

const remoteAt = (place: string) => openRemote(place, { folder: '/', environment: {} });

describe('refetchDamaged', () => {
  it('replaces exactly the damaged files by copies of the same content', async () => {
    const { place, store, set, original } = await pulled();
    const shards = readdirSync(join(set.folder, 'shards')).map((name) => join(set.folder, 'shards', name));
    const [part = ''] = readdirSync(join(set.folder, 'index')).map((name) => join(set.folder, 'index', name));
    flip(shards[0] as string);
    rmSync(shards[1] as string);
    writeFileSync(shards[2] as string, readFileSync(shards[2] as string).subarray(0, 500));
    appendFileSync(part, ' ');
    writeFileSync(join(set.folder, 'feature.json'), '{');
    const remote = await remoteAt(place);
    const fetched = new Set<string>();
    for (let round = 0; round < 2; round++)
      for (const file of (await refetchDamaged(await verifySet(set), { remote, now })).files)
        fetched.add(file);
    expect([...fetched].sort()).toEqual(
      [...shards.slice(0, 3), part, join(set.folder, 'feature.json')].sort(),
    );
    const after = await verifySet(set);
    expect([isDamaged(after), after.unlisted]).toEqual([false, []]);
    for (const [name, content] of original) expect(contents(store).get(name), name).toBe(content);
    expect(existsSync(join(store, 'sample', 'trash', '2026-01-01'))).toBe(true);
    expect((await refetchDamaged(await verifySet(set), { remote, now })).files).toEqual([]);
  });

  it('leaves alone what the remote does not have', async () => {
    const { store, set } = await pulled();
    flip(join(set.folder, 'shards', readdirSync(join(set.folder, 'shards'))[0] as string));
    const other = join(temporaryStore(), 'remote');
    await push(other, sampleStore(), undefined, { feature: TEXT.feature });
    const remote = await remoteAt(other);
    expect(await refetchDamaged(await verifySet(set), { remote, now })).toEqual({ files: [], bytes: 0 });
    expect(contents(store).size).toBeGreaterThan(5);
  });

  it('refuses a remote without the dataset, and touches nothing', async () => {
    const { store, set } = await pulled();
    flip(join(set.folder, 'shards', readdirSync(join(set.folder, 'shards'))[0] as string));
    const before = contents(store);
    const remote = await remoteAt(temporaryStore());
    await expect(refetchDamaged(await verifySet(set), { remote, now })).rejects.toThrow(
      /has no dataset sample: it has no dataset at all/,
    );
    expect(contents(store)).toEqual(before);
  });
});

describe('refetchRows', () => {
  it('fetches the index of older shards that lost it, and not the shards', async () => {
    const { place, store, set } = await pulled(true);
    const before = contents(store);
    rmSync(join(set.folder, 'index'), { recursive: true });
    const check = await verifySet(set);
    const { redo } = repairSet(check, { now });
    expect(redo.length).toBeGreaterThan(10);
    const remote = await remoteAt(place);
    const asked: string[] = [];
    const read = remote.read.bind(remote);
    remote.read = (path, ...more) => (asked.push(path), read(path, ...more));
    expect(await refetchRows(check, new Set(redo), { remote, now })).toEqual(redo);
    expect(asked.filter((path) => path.endsWith('.arrow'))).toEqual([]);
    expect([isDamaged(await verifySet(set)), contents(store)]).toEqual([false, before]);
    const inputs = [...readFeatureSetIndex([store], set).rows.values()].map(({ input }) => input);
    expect(inputs).not.toContain('unknown');
  });

  it('fetches lost rows that the remote has in other shards, and no other rows', async () => {
    const { place } = await pulled();
    // another machine's shards: the same rows, cut in another way, and some that are only there
    const store = temporaryStore();
    writeSampleManifest(store);
    const writer = openFeatureSetWriter({ store, spec: AUDIO, part: 'main' });
    for (let i = 19; i >= 0; i--) writer.append(sampleRow(AUDIO, i, 'train'));
    writer.close();
    const set = locateSets([store], 'sample', AUDIO.feature)[0] as SetLocation;
    rmSync(join(set.folder, 'shards', readdirSync(join(set.folder, 'shards'))[0] as string));
    const check = await verifySet(set);
    const { redo } = repairSet(check, { now });
    expect(redo).toHaveLength(20);
    const lost = new Set(redo.slice(0, 5));
    expect(await refetchRows(check, lost, { remote: await remoteAt(place), now })).toEqual(redo.slice(0, 5));
    expect([...readFeatureSetIndex([store], AUDIO).rows.keys()].sort()).toEqual(redo.slice(0, 5));
    expect(isDamaged(await verifySet(set))).toBe(false);
  });
});
