import { appendFileSync, copyFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { readIndexPart, writeIndexPart } from '../../src/store/index-part.ts';
import { shardPath, specPath } from '../../src/store/layout.ts';
import { isDamaged, verifySet } from '../../src/store/verify.ts';
import { flipBit, locate } from './damaged-store.ts';
import { sampleRows, sampleSpec, temporaryStore, writeRows } from './sample.ts';

const spec = sampleSpec();
const rows = sampleRows(spec, 200);

function filled() {
  const store = temporaryStore();
  writeRows(store, spec, rows, { shardBytes: 8000 });
  const location = locate(store, spec);
  const index = join(location.folder, 'index', 'main.json');
  const [entry] = readIndexPart(index).shards;
  if (!entry) throw new Error('no shard');
  return { store, location, index, entry, path: shardPath(location.folder, entry.sha256) };
}

describe('verifySet', () => {
  it('finds nothing wrong with a set that was just written, and reads all of it', async () => {
    const { location } = filled();
    const seen: number[] = [];
    const reporter = { ...silent, progress: (step: { done: number }) => void seen.push(step.done) };
    const check = await verifySet(location, { reporter });
    expect(isDamaged(check)).toBe(false);
    expect(check.shards.length).toBeGreaterThan(1);
    expect(check.shards.reduce((sum, shard) => sum + shard.whole.size, 0)).toBe(200);
    expect([check.unlisted, check.leftovers, check.specProblem]).toEqual([[], [], null]);
    const bytes = check.shards.reduce((sum, shard) => sum + shard.bytes, 0);
    expect(seen.at(-1)).toBeCloseTo(bytes / 1e6, 0.1);
  });

  it('names the row whose value has a flipped bit, and that one alone', async () => {
    const { location, entry, path } = filled();
    flipBit(path, 8 * ((entry.values[1] as readonly [number, number])[0] + 5) + 3);
    const check = await verifySet(location);
    const bad = check.shards.filter((shard) => shard.problem !== null);
    expect(bad).toHaveLength(1);
    expect(bad[0]).toMatchObject({
      path,
      problem: expect.stringMatching(/^its sha256 is [0-9a-f]{64}$/),
      badRows: [{ id: rows[32]?.id, row: 32, what: expect.stringContaining('its xxh64 is') }],
    });
    expect(bad[0]?.whole.size).toBe(entry.rows - 1);
  });

  it('tells which rows survive a truncation', async () => {
    const { location, entry, path } = filled();
    const [start, length] = entry.values[1] as readonly [number, number];
    truncateSync(path, start + length / 2);
    const [bad] = (await verifySet(location)).shards.filter((shard) => shard.problem !== null);
    expect(bad?.problem).toBe(`it has ${start + length / 2} bytes, and the index says ${entry.bytes}`);
    // the columns behind the values of the second batch are gone with it
    expect(bad?.whole.size).toBe(32);
    expect(bad?.badRows).toHaveLength(entry.rows - 32);
  });

  it('keeps all rows of a shard with something added behind it', async () => {
    const { location, entry, path } = filled();
    appendFileSync(path, 'garbage');
    const [bad] = (await verifySet(location)).shards.filter((shard) => shard.problem !== null);
    expect([bad?.whole.size, bad?.badRows]).toEqual([entry.rows, []]);
  });

  it('names a missing shard with its rows', async () => {
    const { location, entry, path } = filled();
    rmSync(path);
    const check = await verifySet(location);
    const [bad] = check.shards.filter((shard) => shard.problem !== null);
    expect(bad).toMatchObject({ path, problem: 'the file is missing' });
    expect(bad?.badRows).toHaveLength(entry.rows);
  });

  it('reports a damaged and a misplaced index part, and the shards that nobody lists then', async () => {
    const { location, index, entry } = filled();
    copyFileSync(index, join(location.folder, 'index', 'copy.json'));
    flipBit(index, 999);
    const check = await verifySet(location);
    expect(check.parts.map(({ name, problem }) => [name, problem !== null])).toEqual([
      ['copy', true],
      ['main', true],
    ]);
    expect(check.unlisted).toContainEqual(
      expect.objectContaining({ sha256: entry.sha256, whole: true, bytes: entry.bytes }),
    );
    expect(isDamaged(check)).toBe(true);
  });

  it('tells damage of feature.json, by itself and against the shards', async () => {
    const { location } = filled();
    const path = specPath(location.folder);
    writeFileSync(path, '{');
    expect(await verifySet(location)).toMatchObject({
      specProblem: expect.stringContaining('not JSON'),
      spec,
    });
    writeFileSync(path, JSON.stringify({ ...spec, dim: 9 }));
    expect(await verifySet(location)).toMatchObject({
      specProblem: 'its shards say otherwise: dim: 8 -> 9',
      spec,
    });
    rmSync(path);
    expect((await verifySet(location)).specProblem).toBe('it is missing');
  });

  it('refuses an index of a newer format and does not call it damaged', async () => {
    const { location, index } = filled();
    writeIndexPart(index, { ...readIndexPart(index), format: 2 as 1 });
    await expect(verifySet(location)).rejects.toThrow('written in format 2');
  });

  it('reports leftovers of dead writers and of other hosts, and they are no damage', async () => {
    const { location } = filled();
    const shards = join(location.folder, 'shards');
    writeFileSync(join(shards, `.tmp-elsewhere-1-1-0123abcd-shard.arrow`), 'half');
    const check = await verifySet(location);
    expect(check.leftovers).toMatchObject([{ bytes: 4, dead: false }]);
    expect(isDamaged(check)).toBe(false);
  });
});
