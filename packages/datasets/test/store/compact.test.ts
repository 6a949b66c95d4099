import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Interrupted } from '../../src/base/errors.ts';
import { silent } from '../../src/base/reporter.ts';
import { Rng } from '../../src/base/rng.ts';
import { compactSet } from '../../src/store/compact.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { readIndexPart } from '../../src/store/index-part.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { isDamaged, verifySet } from '../../src/store/verify.ts';
import { bundled } from './bundled.ts';
import { flipBit, locate, refusalOfReading } from './damaged-store.ts';
import { filesBelow, sampleFolder, sampleRow, sampleSpec, temporaryStore, writeRows } from './sample.ts';

const spec = sampleSpec({ kind: 'text' });
const rows = Array.from({ length: 120 }, (_, i) => sampleRow(spec, i, i % 2 ? 'train' : 'test'));
const PARTS = ['a', 'b', 'c', 'd'];

/** Four writers with 30 rows each, in many small shards. */
function fourParts(): string {
  const store = temporaryStore();
  PARTS.forEach((part, i) =>
    writeRows(store, spec, rows.slice(30 * i, 30 * i + 30), { part, shardBytes: 1500 }),
  );
  return store;
}

const partsOf = (store: string): string[] =>
  readdirSync(join(sampleFolder(store, spec), 'index'))
    .filter((name) => name.endsWith('.json'))
    .sort();

describe('compactSet', () => {
  it('makes one part and few shards, and no row changes', async () => {
    const store = fourParts();
    const before = readFeatureSetIndex([store], spec);
    const hashes = rowHashes(store);
    const report = await compactSet(locate(store, spec), spec, { shardBytes: 100_000 });
    expect(report).toMatchObject({ merged: PARTS, into: 'main', rows: 120, skipped: [] });
    expect(partsOf(store)).toEqual(['main.json']);
    const { shards } = readIndexPart(join(sampleFolder(store, spec), 'index', 'main.json'));
    expect(shards.map(({ split, rows }) => `${split} ${rows}`).sort()).toEqual(['test 60', 'train 60']);
    expect(refusalOfReading(store, spec, rows)).toBeNull();
    expect(rowHashes(store)).toEqual(hashes);
    const after = readFeatureSetIndex([store], spec);
    for (const [id, { input, revision }] of before.rows)
      expect(after.rows.get(id)).toMatchObject({ input, revision });
    expect((await compactSet(locate(store, spec), spec, { shardBytes: 100_000 })).merged).toEqual([]);
  });

  function rowHashes(store: string): [string, bigint][] {
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    const found = set.ids().map((id): [string, bigint] => [id, set.rowHash(id)]);
    set.close();
    return found;
  }

  it('takes the row that readers take, and quarantined utterances with it', async () => {
    const store = fourParts();
    const writer = openFeatureSetWriter({ store, spec, part: 'z' });
    const newer = sampleRow(spec, 7, 'train', 1);
    writer.append(newer);
    writer.quarantine('sample/bad', 'no sound', 'x');
    writer.close();
    await compactSet(locate(store, spec), spec, { shardBytes: 100_000 });
    const { rows: held, quarantined } = readFeatureSetIndex([store], spec);
    expect(held.get(newer.id)).toMatchObject({ input: newer.input, revision: 1 });
    expect(quarantined.get('sample/bad')).toEqual({ reason: 'no sound', input: 'x', revision: 0 });
    expect(refusalOfReading(store, spec, [newer])).toBeNull();
  });

  it('leaves the part of a live writer alone; both go on', async () => {
    const store = fourParts();
    const writer = openFeatureSetWriter({ store, spec, part: 'b' });
    expect(await compactSet(locate(store, spec), spec)).toMatchObject({
      merged: ['a', 'c', 'd'],
      skipped: ['b'],
    });
    expect(partsOf(store)).toEqual(['b.json', 'main.json']);
    writer.append(sampleRow(spec, 500, 'train'));
    writer.close();
    expect(refusalOfReading(store, spec, [...rows, sampleRow(spec, 500, 'train')])).toBeNull();
  });

  it('refuses a damaged shard and leaves everything as it was', async () => {
    const store = fourParts();
    const { shards } = readIndexPart(join(sampleFolder(store, spec), 'index', 'a.json'));
    const at = shards[0]?.values[0]?.[0] ?? 0;
    flipBit(join(sampleFolder(store, spec), 'shards', `sha256-${shards[0]?.sha256}.arrow`), 8 * at);
    await expect(compactSet(locate(store, spec), spec, { shardBytes: 100_000 })).rejects.toThrow(
      'lsgmer features repair',
    );
    expect(partsOf(store)).toEqual(PARTS.map((part) => `${part}.json`));
  });
});

describe('a compaction that is told to stop', () => {
  it('ends at once and leaves the set as it was; the next one finishes', async () => {
    const store = fourParts();
    const names = (): string[] =>
      filesBelow(sampleFolder(store, spec)).filter((file) => !file.endsWith('.arrow'));
    const before = names();
    for (const steps of [0, 1, 3]) {
      const stop = new AbortController();
      let seen = 0;
      const progress = (): void => void (++seen === steps && stop.abort(new Interrupted('stopped')));
      if (steps === 0) stop.abort(new Interrupted('stopped'));
      const reporter = { ...silent, progress };
      const options = { shardBytes: 100_000, signal: stop.signal, reporter };
      await expect(compactSet(locate(store, spec), spec, options)).rejects.toThrow(Interrupted);
      expect(seen).toBe(steps);
      expect(names()).toEqual(before);
      expect(refusalOfReading(store, spec, rows)).toBeNull();
    }
    await compactSet(locate(store, spec), spec, { shardBytes: 100_000 });
    expect(partsOf(store)).toEqual(['main.json']);
    expect(refusalOfReading(store, spec, rows)).toBeNull();
  });
});

describe('a compaction in another process', () => {
  let bundle: { script: string; remove: () => void } | null = null;
  beforeAll(async () => {
    bundle = await bundled('upkeep-process');
  });
  afterAll(() => bundle?.remove());

  it('shows readers a complete set at every moment', async () => {
    const store = fourParts();
    const child = execFile(process.execPath, [bundle?.script ?? '', 'compact', store]);
    const closed = once(child, 'close');
    let looks = 0;
    while (child.exitCode === null && child.signalCode === null) {
      expect(readFeatureSetIndex([store], spec).rows.size).toBe(120);
      looks++;
      await pause(0);
    }
    await closed;
    expect(child.exitCode).toBe(0);
    expect(looks).toBeGreaterThan(10);
    expect(partsOf(store)).toEqual(['main.json']);
  });

  it('killed with SIGKILL at random moments loses nothing, and the next one finishes', async () => {
    const rng = Rng.for('compact', 'kill');
    let killed = 0;
    for (let i = 0; i < 5; i++) {
      const store = fourParts();
      const child = spawn(process.execPath, [bundle?.script ?? '', 'compact', store], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const closed = once(child, 'close');
      await Promise.race([once(child.stdout, 'data'), closed]);
      await pause(rng.int(40));
      child.kill('SIGKILL');
      await closed;
      if (child.signalCode === 'SIGKILL') killed++;
      expect(refusalOfReading(store, spec, rows)).toBeNull();
      await compactSet(locate(store, spec), spec, { shardBytes: 20_000 });
      expect(partsOf(store)).toEqual(['main.json']);
      expect(refusalOfReading(store, spec, rows)).toBeNull();
      expect(isDamaged(await verifySet(locate(store, spec)))).toBe(false);
    }
    expect(killed).toBeGreaterThan(0);
  });
});
