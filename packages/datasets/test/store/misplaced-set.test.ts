import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { planGc } from '../../src/store/gc.ts';
import { specPath } from '../../src/store/layout.ts';
import { misplacedSet, MisplacedSetError, refuseRenamedSet } from '../../src/store/misplaced-set.ts';
import { planRepair, repairSet } from '../../src/store/repair.ts';
import { locateSets, type SetLocation } from '../../src/store/set-location.ts';
import { findFeatureSets, listFeatures } from '../../src/store/store-listing.ts';
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

  describe.each(['.bak', 'zz'])('under its fingerprint with %s behind it', (behind) => {
    const gc = (store: string) =>
      planGc({ store, stores: [store], dataset: 'sample', ids: null, now, account: null });

    it('a renamed set is told and not touched, and read again when it is renamed back', async () => {
      const store = temporaryStore();
      writeRows(store, spec, rows);
      const own = sampleFolder(store);
      const folder = `${own}${behind}`;
      renameSync(own, folder);
      const before = contents(store);
      const line = `${folder} is a copy of sample/sample-audio@${spec.fingerprint.slice(0, 12)}, which is not in its own folder: rename it back to ${own}, or remove it`;
      expect(listFeatures([store], 'sample')).toEqual(['sample-audio']);
      expect(() => findFeatureSets([store], 'sample', 'sample-audio')).toThrow(line);
      const check = await verifySet(locate(store, spec));
      expect([check.misplaced, isDamaged(check)]).toEqual([line, false]);
      expect(repairSet(check, { now })).toMatchObject({ spec: false, parts: [], removed: [], redo: [] });
      expect(gc(store)).toMatchObject({ items: [], others: [], kept: [{ why: line }] });
      expect(contents(store)).toEqual(before);
      renameSync(folder, own);
      expect(findFeatureSets([store], 'sample', 'sample-audio')).toHaveLength(1);
    });

    it('a copy beside the original is told, and the original is read', () => {
      const store = temporaryStore();
      writeRows(store, spec, rows);
      const own = sampleFolder(store);
      cpSync(own, `${own}${behind}`, { recursive: true });
      const told: string[] = [];
      const tell = ({ message }: Error): unknown => told.push(message);
      for (const onUnreadable of [undefined, tell])
        expect(findFeatureSets([store], 'sample', 'sample-audio', onUnreadable)).toMatchObject([
          { fingerprint: spec.fingerprint, folders: [own] },
        ]);
      expect(told).toEqual([expect.stringMatching(/which is there too: remove the copy$/)]);
      expect(gc(store)).toMatchObject({ items: [], kept: [{}, {}] });
    });

    it('is told where nothing says whose it is; folders without a set are not', () => {
      const store = temporaryStore();
      writeRows(store, spec, rows);
      const own = sampleFolder(store);
      renameSync(own, `${own}${behind}`);
      rmSync(join(`${own}${behind}`, 'index'), { recursive: true });
      writeFileSync(specPath(`${own}${behind}`), '{');
      const shards = join(`${own}${behind}`, 'shards');
      for (const name of readdirSync(shards)) writeFileSync(join(shards, name), 'x');
      expect(() => findFeatureSets([store], 'sample', 'sample-audio')).toThrow(
        `${own}${behind} has the files of a feature set, and its name is no fingerprint (64 hex digits): rename it back`,
      );
      rmSync(shards, { recursive: true });
      rmSync(specPath(`${own}${behind}`));
      expect(listFeatures([store], 'sample')).toEqual([]);
      expect(locateSets([store], 'sample')).toEqual([]);
    });
  });

  describe('in a folder whose name no feature may have', () => {
    const name = 'sample-audio (copy)';

    it('a copy is told, and the original is read', async () => {
      const store = temporaryStore();
      writeRows(store, spec, rows);
      const own = sampleFolder(store);
      cpSync(dirname(own), join(store, 'sample', name), { recursive: true });
      const line = `${join(store, 'sample', name, spec.fingerprint)} is a copy of sample/sample-audio@${spec.fingerprint.slice(0, 12)}, which is there too: remove the copy`;
      expect(findFeatureSets([store], 'sample', name)).toEqual([]);
      const [copy] = locateSets([store], 'sample', name) as [SetLocation];
      expect((await verifySet(copy)).misplaced).toBe(line);
      expect(findFeatureSets([store], 'sample', 'sample-audio')).toHaveLength(1);
      const plan = planGc({ store, stores: [store], dataset: 'sample', ids: null, now, account: null });
      expect(plan.kept.find(({ set }) => set.feature === name)?.why).toBe(line);
      expect(plan.items).toEqual([]);
    });

    it('a renamed set is asked back, also where its files are damaged', () => {
      const store = temporaryStore();
      writeRows(store, spec, rows);
      const own = sampleFolder(store);
      const folder = join(store, 'sample', name, spec.fingerprint);
      renameSync(dirname(own), dirname(folder));
      expect(() => findFeatureSets([store], 'sample', name)).toThrow(
        `rename it back to ${own}, or remove it`,
      );
      rmSync(join(folder, 'index'), { recursive: true });
      rmSync(join(folder, 'shards'), { recursive: true });
      writeFileSync(specPath(folder), '{');
      expect(() => findFeatureSets([store], 'sample', name)).toThrow(`${name} is no name for a feature`);
    });

    it('no path is taken for a name', () => {
      const store = temporaryStore();
      for (const name of ['../sample', 'a/b', '.', '..', '.tmp'])
        expect(() => findFeatureSets([store], 'sample', name)).toThrow('is no name for a feature');
    });
  });

  describe('refuseRenamedSet', () => {
    const refuse = (store: string): void => refuseRenamedSet([store], spec, 'computed');

    it.each([
      (own: string) => `${own}.bak`,
      (own: string) => join(dirname(dirname(own)), 'old (copy)', spec.fingerprint),
      (own: string) => join(dirname(dirname(own)), 'other', spec.fingerprint),
    ])('finds a set under another name, case %#, unless it is in its place', (moved) => {
      const store = temporaryStore();
      writeRows(store, spec, rows);
      const own = sampleFolder(store);
      const other = moved(own);
      cpSync(own, other, { recursive: true });
      refuse(store);
      rmSync(own, { recursive: true });
      expect(() => refuse(store)).toThrow(
        `rename it back to ${own}, or remove it (nothing was computed: its rows count once it is renamed back)`,
      );
      // what a writer that was stopped at its very start leaves does not count
      mkdirSync(join(own, 'index'), { recursive: true });
      expect(() => refuse(store)).toThrow('nothing was computed');
      rmSync(other, { recursive: true });
      refuse(store);
    });
  });

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
