import { chownSync, existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryName } from '../../src/base/atomic-file.ts';
import { type GcOptions, planGc, runGc } from '../../src/store/gc.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { readIndexPart, writeIndexPart } from '../../src/store/index-part.ts';
import { pinRun } from '../../src/store/pins.ts';
import { filesBelow, sampleFolder, sampleRows, sampleSpec, temporaryStore, writeRows } from './sample.ts';

const now = new Date();
const version = (layer: number) => sampleSpec({ computation: { encoder: 'sample-audio', layer } });
const rows = sampleRows(version(1), 5);
const ids = rows.map(({ id }) => id);

/** Three fingerprints of one feature, each a day younger than the one before; the youngest is not complete. */
function three() {
  const store = temporaryStore();
  [1, 2, 3].forEach((layer) => {
    writeRows(store, version(layer), layer === 3 ? rows.slice(0, 2) : rows);
    const folder = sampleFolder(store, version(layer));
    const time = new Date(now.getTime() - (10 - layer) * 86_400_000);
    utimesSync(join(folder, 'index', 'main.json'), time, time);
    utimesSync(folder, time, time);
  });
  const options: GcOptions = {
    store,
    stores: [store],
    dataset: 'sample',
    ids,
    now,
    account: process.getuid?.() ?? null,
  };
  return { store, options, folder: (layer: number) => sampleFolder(store, version(layer)) };
}

describe('planGc', () => {
  it('keeps the newest and the newest complete fingerprint; the rest goes to the trash', () => {
    const { options, folder, store } = three();
    const plan = planGc(options);
    expect(plan.items).toMatchObject([{ path: folder(1), fate: 'trash' }]);
    const size = filesBelow(folder(1)).length;
    expect(size).toBe(3);
    expect(plan.items[0]?.bytes).toBeGreaterThan(1000);
    expect(new Map(plan.kept.map(({ set, why }) => [set.fingerprint, why]))).toEqual(
      new Map([
        [version(2).fingerprint, 'the newest complete one'],
        [version(3).fingerprint, 'the newest one'],
      ]),
    );
    runGc(plan, now);
    expect(existsSync(folder(1))).toBe(false);
    const trash = join(
      'sample',
      'trash',
      now.toISOString().slice(0, 10),
      'sample-audio',
      version(1).fingerprint,
    );
    expect(filesBelow(join(store, trash))).toHaveLength(3);
    expect(planGc(options).items).toEqual([]);
  });

  it('keeps what a run pinned, in whichever store the pin lies', () => {
    const { options } = three();
    const other = temporaryStore();
    mkdirSync(join(other, 'sample'));
    pinRun([other], 'sample', { run: 'r1', fingerprints: { 'sample-audio': version(1).fingerprint } });
    expect(planGc({ ...options, stores: [options.store, other] }).items).toEqual([]);
  });

  it('leaves the files of other accounts alone unless told', () => {
    const { options, folder } = three();
    const stranger = { ...options, account: 4711 };
    expect(planGc(stranger)).toMatchObject({ items: [], others: [{ path: folder(1) }] });
    expect(planGc({ ...stranger, force: true })).toMatchObject({ items: [{ path: folder(1) }], others: [] });
  });

  it('keeps a set that somebody is writing', () => {
    const { options } = three();
    const writer = openFeatureSetWriter({ store: options.store, spec: version(1), part: 'other' });
    expect(planGc(options).items).toEqual([]);
    writer.discard();
    expect(planGc(options).items).toHaveLength(1);
  });

  it('asks before it takes a set in which another account has files', () => {
    if (process.getuid?.() !== 0) {
      console.log('skipped: only root may give files away');
      return;
    }
    const { options, folder } = three();
    chownSync(join(folder(1), 'index', 'main.json'), 4711, -1);
    expect(planGc(options)).toMatchObject({ items: [], others: [{ path: folder(1), owners: [0, 4711] }] });
  });

  it('sweeps shards that nobody lists after a day, and temporary files of dead writers', () => {
    const { options, folder } = three();
    // the writer that would have had this process's number before it began
    const dead = basename(temporaryName('x')).replace(/-\d{13}-/, '-1000000000000-');
    const places = [folder(2), join(folder(2), 'shards'), join(options.store, 'sample', 'pins')];
    mkdirSync(join(options.store, 'sample', 'pins'));
    for (const place of places) writeFileSync(join(place, dead), 'half');
    const removed = planGc(options).items.filter(({ fate }) => fate === 'remove');
    expect(removed.map(({ path }) => path).sort()).toEqual(places.map((place) => join(place, dead)).sort());
    runGc(planGc(options), now);
    expect(places.some((place) => existsSync(join(place, dead)))).toBe(false);
    const index = join(folder(2), 'index', 'main.json');
    // its rows are in a shard of another part, as after a compaction
    const part = readIndexPart(index);
    writeRows(options.store, version(2), rows.slice(0, 2), { part: 'other' });
    writeRows(
      options.store,
      version(2),
      rows.slice(2).map((row) => ({ ...row, input: 'new' })),
      { part: 'other' },
    );
    writeIndexPart(index, { ...part, shards: [], utterances: {} });
    const shard = join(folder(2), 'shards', `sha256-${part.shards[0]?.sha256}.arrow`);
    pinRun([options.store], 'sample', { run: 'r', fingerprints: { 'sample-audio': version(2).fingerprint } });
    const swept = (at: Date) => planGc({ ...options, now: at }).items.filter(({ path }) => path === shard);
    expect(swept(now)).toEqual([]);
    expect(swept(new Date(now.getTime() + 90_000_000))).toMatchObject([{ fate: 'trash' }]);
  });

  it('keeps shards whose index is gone, and says so, also where a newer set is there', () => {
    const { options, folder } = three();
    rmSync(join(folder(1), 'index', 'main.json'));
    const plan = planGc({ ...options, now: new Date(now.getTime() + 90_000_000) });
    expect(plan.items).toEqual([]);
    expect(plan.kept.find(({ set }) => set.folder === folder(1))?.why).toBe('its index is gone');
    expect(plan.lost.map(({ set, why }) => [set.folder, why])).toEqual([
      [
        folder(1),
        '1 shard with 5 rows that no index part has stay: an index part is gone: `lsgmer features repair` makes it anew from them',
      ],
    ]);
    writeFileSync(join(folder(1), 'index', 'main.json'), '{');
    utimesSync(join(folder(1), 'index', 'main.json'), new Date(0), new Date(0));
    utimesSync(folder(1), new Date(0), new Date(0));
    expect(planGc(options).kept.find(({ set }) => set.folder === folder(1))?.why).toMatch(
      /^its index is damaged/,
    );
  });

  it('sweeps beginnings of shards that no pull went on with for a day', () => {
    const { options, folder } = three();
    const beginning = join(folder(2), 'shards', `.partial-sha256-${'a'.repeat(64)}.arrow`);
    writeFileSync(beginning, 'half');
    const swept = (at: Date) =>
      planGc({ ...options, now: at }).items.filter(({ path }) => path === beginning);
    expect(swept(new Date())).toEqual([]);
    expect(swept(new Date(Date.now() + 90_000_000))).toMatchObject([{ fate: 'remove' }]);
  });

  it('empties trash older than 14 days, and no younger', () => {
    const { options, store } = three();
    const days = [13, 14, 16, 40].map((age) =>
      new Date(now.getTime() - age * 86_400_000).toISOString().slice(0, 10),
    );
    for (const day of days) {
      mkdirSync(join(store, 'sample', 'trash', day), { recursive: true });
      writeFileSync(join(store, 'sample', 'trash', day, 'old'), 'x');
    }
    const plan = planGc(options);
    expect(
      plan.items
        .filter(({ fate }) => fate === 'empty')
        .map(({ path }) => path)
        .sort(),
    ).toEqual([2, 3].map((i) => join(store, 'sample', 'trash', days[i] as string)).sort());
    runGc(plan, now);
    expect(days.map((day) => existsSync(join(store, 'sample', 'trash', day)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
