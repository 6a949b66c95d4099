import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { planGc } from '../../src/store/gc.ts';
import { specPath } from '../../src/store/layout.ts';
import { misplacedSet, MisplacedSetError } from '../../src/store/misplaced-set.ts';
import { planRepair, repairSet } from '../../src/store/repair.ts';
import { locateSets, type SetLocation } from '../../src/store/set-location.ts';
import { findFeatureSets } from '../../src/store/store-listing.ts';
import { isDamaged, verifySet } from '../../src/store/verify.ts';
import { locate } from './damaged-store.ts';
import { filesBelow, sampleFolder, sampleRows, sampleSpec, temporaryStore, writeRows } from './sample.ts';

const spec = sampleSpec();
const rows = sampleRows(spec, 40);
const now = new Date('2026-03-04T12:00:00Z');

/** The set is copied, or renamed, to another feature. */
function filled(how: 'copied' | 'renamed') {
  const store = temporaryStore();
  writeRows(store, spec, rows);
  const own = sampleFolder(store);
  const folder = join(store, spec.dataset, 'my-other', spec.fingerprint);
  cpSync(dirname(own), dirname(folder), { recursive: true });
  if (how === 'renamed') rmSync(dirname(own), { recursive: true });
  const [location] = locateSets([store], spec.dataset, 'my-other') as [SetLocation];
  return { store, own, folder, location };
}

function contents(folder: string): Map<string, string> {
  return new Map(filesBelow(folder).map((path) => [path, readFileSync(join(folder, path), 'latin1')]));
}

describe('misplacedSet', () => {
  it.each(['copied', 'renamed'] as const)(
    'a set that was %s by hand is told, and nothing touches it',
    async (how) => {
      const { store, own, folder, location } = filled(how);
      const before = contents(store);
      const line =
        how === 'copied'
          ? `${folder} is a copy of sample/sample-audio@${spec.fingerprint.slice(0, 12)}, which is there too: remove the copy`
          : `${folder} is a copy of sample/sample-audio@${spec.fingerprint.slice(0, 12)}, which is not in its own folder: rename it back to ${own}, or remove it`;
      expect(() => findFeatureSets([store], 'sample', 'my-other')).toThrow(line);
      const told: string[] = [];
      expect(findFeatureSets([store], 'sample', 'my-other', ({ message }) => told.push(message))).toEqual([]);
      expect(told).toEqual([line]);
      const check = await verifySet(location);
      expect([check.misplaced, isDamaged(check)]).toEqual([line, false]);
      for (const report of [planRepair(check), repairSet(check, { now })])
        expect(report).toMatchObject({ spec: false, parts: [], removed: [], redo: [] });
      const plan = planGc({ store, stores: [store], dataset: 'sample', ids: null, now, account: null });
      expect([plan.items, plan.others]).toEqual([[], []]);
      expect(plan.kept.find(({ set }) => set.feature === 'my-other')?.why).toBe(line);
      expect(contents(store)).toEqual(before);
    },
  );

  it('a renamed set that is renamed back is what it was', async () => {
    const { folder, own } = filled('renamed');
    renameSync(dirname(folder), dirname(own));
    const store = dirname(dirname(dirname(own)));
    expect(misplacedSet(locate(store, spec))).toBeNull();
    expect(isDamaged(await verifySet(locate(store, spec)))).toBe(false);
  });

  it('tells it by the index or the shards where feature.json is gone, and index parts are', async () => {
    const { folder, location } = filled('renamed');
    rmSync(specPath(folder));
    expect(misplacedSet(location)).toBeInstanceOf(MisplacedSetError);
    rmSync(join(folder, 'index'), { recursive: true });
    expect(misplacedSet(location)).toBeInstanceOf(MisplacedSetError);
    for (const name of readdirSync(join(folder, 'shards'))) writeFileSync(join(folder, 'shards', name), 'x');
    expect(misplacedSet(location)).toBeNull();
  });

  it('another name in feature.json alone is damage of it, which repair mends', async () => {
    const store = temporaryStore();
    writeRows(store, spec, rows);
    const path = specPath(sampleFolder(store));
    writeFileSync(path, readFileSync(path, 'utf8').replace('"sample-audio"', '"sample-audip"'));
    const location = locate(store, spec);
    expect(misplacedSet(location)).toBeNull();
    const check = await verifySet(location);
    expect(isDamaged(check)).toBe(true);
    repairSet(check, { now });
    expect(isDamaged(await verifySet(location))).toBe(false);
  });

  it('a writer whose folder holds another set says so', () => {
    const { store, folder } = filled('copied');
    const mine = { ...spec, feature: 'my-other' };
    expect(() => openFeatureSetWriter({ store, spec: mine, part: 'main' })).toThrow(
      `${folder} is a copy of sample/sample-audio@`,
    );
  });
});
