import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryName } from '../../src/base/atomic-file.ts';
import { Rng } from '../../src/base/rng.ts';
import { readIndexPart, writeIndexPart } from '../../src/store/index-part.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { shardPath, specPath } from '../../src/store/layout.ts';
import { planRepair, type RepairReport, repairSet } from '../../src/store/repair.ts';
import { isDamaged, unreadableShards, verifySet } from '../../src/store/verify.ts';
import { claimPart } from '../../src/store/writer-lease.ts';
import { compactSet } from '../../src/store/compact.ts';
import { forgetInputs } from './older-shards.ts';
import { bitsOf, extractAgain, flipBit, locate, refusalOfReading } from './damaged-store.ts';
import { filesBelow, sampleRow, sampleRows, sampleSpec, temporaryStore, writeRows } from './sample.ts';

const now = new Date('2026-03-04T12:00:00Z');
const audio = sampleSpec();
const text = sampleSpec({ kind: 'text' });
const rowsOf = new Map([audio, text].map((spec) => [spec, sampleRows(spec, 80)]));

function filled(spec = audio) {
  const store = temporaryStore();
  const rows = rowsOf.get(spec) ?? [];
  writeRows(store, spec, rows, { shardBytes: 6000 });
  const location = locate(store, spec);
  const index = join(location.folder, 'index', 'main.json');
  const { shards } = readIndexPart(index);
  const [entry] = shards;
  if (!entry) throw new Error('no shard');
  const paths = shards.map(({ sha256 }) => shardPath(location.folder, sha256));
  return { store, spec, rows, location, index, entry, path: paths[0] as string, paths };
}
type Filled = ReturnType<typeof filled>;

/** The same with shards that do not say what their rows were computed from. */
function older(): Filled {
  const set = filled();
  forgetInputs(set.location.folder);
  const paths = readIndexPart(set.index).shards.map(({ sha256 }) => shardPath(set.location.folder, sha256));
  return { ...set, paths, path: paths[0] as string };
}

async function repair({ location }: Pick<Filled, 'location'>): Promise<RepairReport> {
  return repairSet(await verifySet(location), { now, shardBytes: 6000 });
}

/** Damage is seen by reader and verify; after repair and extraction everything is as it was. @returns what repair said. */
async function mends(set: Filled, damage: () => void): Promise<{ report: RepairReport; written: string[] }> {
  damage();
  expect(refusalOfReading(set.store, set.spec, set.rows)).not.toBeNull();
  expect(isDamaged(await verifySet(set.location))).toBe(true);
  const report = await repair(set);
  expect(isDamaged(await verifySet(set.location))).toBe(false);
  const written = extractAgain(set.store, set.spec, set.rows);
  // a damaged index may name an utterance that never was, and an input that was another
  const known = report.redo.filter((id) => set.rows.some((row) => row.id === id));
  if (report.parts.length === 0) expect(known).toEqual([...written].sort());
  else expect(written).toEqual(expect.arrayContaining(known));
  expect(isDamaged(await verifySet(set.location))).toBe(false);
  expect(refusalOfReading(set.store, set.spec, set.rows)).toBeNull();
  return { report, written };
}

const trashed = (store: string): string[] => filesBelow(join(store, 'sample', 'trash'));

describe('repairSet', () => {
  it('redoes the one row with a flipped bit and keeps its neighbours, bit for bit', async () => {
    const set = filled();
    const at = (set.entry.values[0] as readonly [number, number])[0] + 3;
    const before = readFeatureSetIndex([set.store], audio);
    const { report, written } = await mends(set, () => flipBit(set.path, 8 * at));
    expect(written).toEqual([set.rows[0]?.id]);
    expect(report).toMatchObject({
      salvaged: set.entry.rows - 1,
      removed: [set.path],
      spec: false,
      parts: [],
    });
    expect(trashed(set.store)).toEqual([
      `2026-03-04/sample-audio/${audio.fingerprint}/shards/sha256-${set.entry.sha256}.arrow`,
    ]);
    const after = readFeatureSetIndex([set.store], audio);
    for (const [id, { input, revision }] of before.rows)
      expect(after.rows.get(id)).toMatchObject({ input, revision });
  });

  it.each([audio, text])(
    'mends random single-bit flips in shards, index and feature.json ($kind)',
    async (spec) => {
      const rng = Rng.for('flips', spec.kind);
      for (let i = 0; i < 12; i++) {
        const set = filled(spec);
        const path = [...set.paths, set.index][rng.int(set.paths.length + 1)] as string;
        await mends(set, () => flipBit(path, rng.int(bitsOf(path))));
      }
    },
  );

  it('mends a truncated, a zeroed, a lengthened and a missing shard', async () => {
    for (const spec of [audio, text]) {
      const cut = await mends2(spec, ({ path }) => truncateSync(path, statSync(path).size - 100));
      // nothing vouches for token spans when a byte outside the values is gone
      expect(cut.report.salvaged > 0).toBe(spec === audio);
      await mends2(spec, ({ path }) => truncateSync(path, 0));
      await mends2(spec, ({ path }) => zero(path, 4096, 4096));
      await mends2(spec, ({ path }) => zero(path, 0, statSync(path).size));
      const longer = await mends2(spec, ({ path }) => appendFileSync(path, Buffer.alloc(77, 'x')));
      expect(longer.written).toEqual([]);
      const gone = await mends2(spec, ({ path }) => rmSync(path));
      expect(gone.report.salvaged).toBe(0);
    }
  });

  const mends2 = (spec: typeof audio, damage: (set: Filled) => void) => {
    const set = filled(spec);
    return mends(set, () => damage(set));
  };

  function zero(path: string, from: number, length: number): void {
    const fd = openSync(path, 'r+');
    writeSync(fd, Buffer.alloc(Math.min(length, statSync(path).size - from)), 0, undefined, from);
    closeSync(fd);
  }

  it.each([audio, text])('makes a lost index anew from the shards ($kind)', async (spec) => {
    for (const damage of [
      ({ index }: Filled) => rmSync(index),
      ({ index }: Filled) => truncateSync(index, 0),
      ({ index }: Filled) => truncateSync(index, 2000),
    ]) {
      const set = filled(spec);
      const before = readFeatureSetIndex([set.store], spec).rows;
      const { report, written } = await mends(set, () => damage(set));
      expect(report.parts).toEqual([{ name: 'main', rows: 80, unknownInputs: 0, unsureInputs: 0 }]);
      expect([report.redo, written]).toEqual([[], []]);
      expect(readFeatureSetIndex([set.store], spec).rows).toEqual(before);
    }
  });

  it('takes the inputs of copied rows along', async () => {
    const set = filled();
    const at = (set.entry.values[0] as readonly [number, number])[0];
    await mends(set, () => flipBit(set.path, 8 * at));
    await compactSet(set.location, audio, { into: 'main', shardBytes: 1e6 });
    const before = readFeatureSetIndex([set.store], audio).rows;
    for (const name of readdirSync(join(set.location.folder, 'index')))
      rmSync(join(set.location.folder, 'index', name));
    expect((await repair(set)).redo).toEqual([]);
    expect(
      new Map([...readFeatureSetIndex([set.store], audio).rows].map(([id, row]) => [id, row.input])),
    ).toEqual(new Map([...before].map(([id, row]) => [id, row.input])));
  });

  it('redoes rows whose older shards do not say what they were computed from, once their index is lost', async () => {
    const set = older();
    const { report } = await mends(set, () => truncateSync(set.index, 0));
    expect(report.parts).toEqual([{ name: 'main', rows: 80, unknownInputs: 80, unsureInputs: 0 }]);
    expect(trashed(set.store)).toContain(`2026-03-04/sample-audio/${audio.fingerprint}/index/main.json`);
  });

  it('makes an index of older shards anew that was removed, and its plan says what is computed again', async () => {
    const gone = older();
    const { report } = await mends(gone, () => rmSync(gone.index));
    expect(report.parts).toEqual([{ name: 'main', rows: 80, unknownInputs: 80, unsureInputs: 0 }]);
    expect([report.removed, report.redo.length]).toEqual([[], 80]);
    // one of two parts: what the other one has stays with it
    const set = older();
    writeRows(set.store, audio, [sampleRow(audio, 90)], { part: 'second' });
    rmSync(set.index);
    const planned = planRepair(await verifySet(set.location));
    expect(planned).toMatchObject({ parts: [{ name: 'main', rows: 80, unknownInputs: 80 }], removed: [] });
    expect(planned.redo).toEqual(set.rows.map(({ id }) => id).sort());
    expect(await repair(set)).toEqual(planned);
    const input = (): unknown =>
      readFeatureSetIndex([set.store], audio).rows.get(sampleRow(audio, 90).id)?.input;
    expect(input()).toBe('input-90-0');
    // where the name is taken, another one
    rmSync(join(set.location.folder, 'index', 'second.json'));
    expect((await repair(set)).parts).toEqual([
      { name: 'rebuilt', rows: 1, unknownInputs: 0, unsureInputs: 0 },
    ]);
    expect(input()).toBe('input-90-0');
    expect(isDamaged(await verifySet(set.location))).toBe(false);
  });

  it('calls a shard damaged that lost its index too, and takes it away', async () => {
    const set = filled();
    flipBit(set.path, 8 * (set.entry.values[0]?.[0] ?? 0));
    rmSync(set.index);
    const check = await verifySet(set.location);
    expect([isDamaged(check), unreadableShards(check).map(({ path }) => path)]).toEqual([true, [set.path]]);
    const { report, written } = await mends(set, () => {});
    expect(report).toMatchObject({ removed: [set.path], parts: [{ rows: 80 - set.entry.rows }] });
    expect(written).toHaveLength(set.entry.rows);
    // with no whole shard beside it
    const alone = filled();
    for (const path of alone.paths) flipBit(path, 8 * (statSync(path).size >> 1));
    rmSync(alone.index);
    expect(isDamaged(await verifySet(alone.location))).toBe(true);
    expect((await repair(alone)).removed).toHaveLength(alone.paths.length);
    expect(isDamaged(await verifySet(alone.location))).toBe(false);
  });

  it('leaves shards to a writer that is at work, or that was killed before it listed them', async () => {
    const set = filled();
    rmSync(set.index);
    const release = claimPart(join(set.location.folder, 'index'), 'other');
    expect(await verifySet(set.location)).toMatchObject({ awaited: { live: true } });
    expect((await repair(set)).parts).toEqual([]);
    release();
    const dead = basename(temporaryName('main.claim')).replace(/-\d{13}-/, '-1000000000000-');
    writeFileSync(join(set.location.folder, 'index', dead), '');
    expect((await verifySet(set.location)).awaited).toEqual({
      why: 'their writer was killed: run its command again',
      live: false,
    });
    expect((await repair(set)).parts).toEqual([]);
    expect(extractAgain(set.store, audio, set.rows)).toHaveLength(80);
    expect(isDamaged(await verifySet(set.location))).toBe(false);
  });

  it.each([audio, text])('plans what it does, and names no file that is not there ($kind)', async (spec) => {
    const damages: ((set: Filled) => void)[] = [
      ({ path }) => rmSync(path),
      ({ path }) => truncateSync(path, 100),
      ({ index }) => truncateSync(index, 2000),
      ({ location }) => writeFileSync(specPath(location.folder), '{'),
    ];
    for (const damage of damages) {
      const set = filled(spec);
      damage(set);
      const planned = planRepair(await verifySet(set.location));
      expect(planned.removed.filter((path) => !existsSync(path))).toEqual([]);
      const report = await repair(set);
      expect({ ...planned, removed: [...planned.removed].sort() }).toEqual({
        ...report,
        removed: [...report.removed].sort(),
      });
    }
  });

  it('keeps what can be made out in a damaged index of older shards: inputs, revisions, quarantined utterances', async () => {
    const set = older();
    writeRows(set.store, audio, [{ ...sampleRow(audio, 3, 'train', 1) }]); // a changed input: revision 1
    const part = readIndexPart(set.index);
    part.quarantined['sample/bad'] = { reason: 'no "sound"', input: 'x' };
    writeIndexPart(set.index, part);
    const text = JSON.stringify(rowsOf.get(audio)?.[5]?.id);
    const at = (await import('node:fs')).readFileSync(set.index, 'utf8').indexOf(text);
    flipBit(set.index, 8 * (at + text.length + 12));
    const report = await repair(set);
    expect(report.parts).toEqual([
      { name: 'main', rows: 80, unknownInputs: expect.any(Number), unsureInputs: expect.any(Number) },
    ]);
    const held = readFeatureSetIndex([set.store], audio);
    expect(held.quarantined.get('sample/bad')).toEqual({ reason: 'no "sound"', input: 'x', revision: 0 });
    expect(held.rows.get(set.rows[3]?.id ?? '')).toMatchObject({ revision: 1, input: 'input-3-1' });
    const wrong = set.rows.filter(({ id, input }, i) => i !== 3 && held.rows.get(id)?.input !== input);
    expect(wrong.map(({ id }) => id)).toEqual([set.rows[5]?.id]);
  });

  it('writes feature.json anew from the shards', async () => {
    for (const damage of ['', '{', JSON.stringify({ ...audio, dim: 9 })]) {
      const set = filled();
      await mends(set, () => writeFileSync(specPath(set.location.folder), damage));
    }
    const set = filled();
    const path = specPath(set.location.folder);
    rmSync(path);
    truncateSync(set.index, 10); // and nothing lists the shards
    expect(await repair(set)).toMatchObject({ spec: true });
    extractAgain(set.store, audio, set.rows);
    expect(refusalOfReading(set.store, audio, set.rows)).toBeNull();
  });

  it('mends two damaged parts, each with the rows that were its own', async () => {
    const set = filled();
    const more = Array.from({ length: 40 }, (_, i) => sampleRow(audio, 100 + i));
    writeRows(set.store, audio, more, { part: 'second', shardBytes: 6000 });
    const second = join(set.location.folder, 'index', 'second.json');
    const both = { ...set, rows: [...set.rows, ...more] };
    const { report } = await mends(both, () => {
      appendFileSync(set.index, ' ');
      appendFileSync(second, ' ');
    });
    expect(report.parts).toEqual([
      { name: 'main', rows: 80, unknownInputs: 0, unsureInputs: 0 },
      { name: 'second', rows: 40, unknownInputs: 0, unsureInputs: 0 },
    ]);
  });

  it('leaves a part alone that somebody writes, and says so', async () => {
    const set = filled();
    flipBit(set.path, 8 * (set.entry.values[0]?.[0] ?? 0));
    const release = claimPart(join(set.location.folder, 'index'), 'main');
    const report = await repair(set);
    release();
    expect(report).toMatchObject({
      removed: [],
      redo: [],
      skipped: [expect.stringContaining('is being written')],
    });
    expect((await repair(set)).redo).toHaveLength(1);
  });

  it('plans without writing, and does nothing where nothing is damaged', async () => {
    const set = filled();
    const clean = filesBelow(set.store);
    expect(await repair(set)).toMatchObject({ removed: [], redo: [], salvaged: 0 });
    expect(filesBelow(set.store)).toEqual(clean);
    flipBit(set.path, 8 * (set.entry.values[0]?.[0] ?? 0));
    const plan = planRepair(await verifySet(set.location));
    expect(plan).toMatchObject({
      removed: [set.path],
      redo: [set.rows[0]?.id],
      salvaged: set.entry.rows - 1,
    });
    expect(filesBelow(set.store)).toEqual(clean);
    expect(readdirSync(set.store)).toEqual(['sample']);
  });
});
