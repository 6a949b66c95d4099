import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, readdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/canonical-json.ts';
import { abandonedRows } from '../../src/store/abandoned-rows.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { type FeatureSetWriterOptions, openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import type { FeatureRow } from '../../src/store/feature-spec.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { repairSet } from '../../src/store/repair.ts';
import { abandonedShards, claimAbandoned, hasAbandonedRows } from '../../src/store/shard-journal.ts';
import { verifySet } from '../../src/store/verify.ts';
import { locate } from './damaged-store.ts';
import {
  asStored,
  filesBelow,
  sampleFolder,
  sampleRow,
  sampleRows,
  sampleSpec,
  temporaryStore,
  writeRows,
} from './sample.ts';

const spec = sampleSpec();
/** A process that is gone. */
const ended = spawnSync(process.execPath, ['-e', '']).pid;

/** Appends rows and leaves everything as it lies there when the writer's process is killed. */
function abandon(
  store: string,
  rows: readonly FeatureRow[],
  options: Partial<FeatureSetWriterOptions> = {},
): string[] {
  const atOnce = { now: () => 0, settleSeconds: 0 };
  const settling = options.now === undefined ? atOnce : {};
  const writer = openFeatureSetWriter({ store, spec, part: 'main', ...settling, ...options });
  for (const row of rows) writer.append(row);
  for (const place of ['shards', 'index']) {
    const folder = join(sampleFolder(store), place);
    for (const name of readdirSync(folder))
      renameSync(join(folder, name), join(folder, name.replace(`-${process.pid}-`, `-${ended}-`)));
  }
  return abandonedShards(sampleFolder(store));
}

function rowsOf(store: string): FeatureRow[] {
  return abandonedShards(sampleFolder(store)).flatMap((shard) => [...abandonedRows(shard, spec)]);
}

describe('what a killed writer leaves', () => {
  it('is taken in by the next one, every row as it was', () => {
    const store = temporaryStore();
    const rows = [...sampleRows(spec, 30, 'train'), ...sampleRows(spec, 30, 'dev')];
    expect(abandon(store, rows)).toHaveLength(2);
    expect(readFeatureSetIndex([store], spec).rows.size).toBe(0);
    const writer = openFeatureSetWriter({ store, spec, part: 'main' });
    expect(writer.takenIn).toBe(60);
    writer.close();
    expect(filesBelow(sampleFolder(store)).filter((file) => file.includes('.tmp-'))).toEqual([]);
    const index = readFeatureSetIndex([store], spec);
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    for (const row of rows) {
      expect(set.read(row.id)).toEqual(asStored(row, 'float16'));
      expect(index.rows.get(row.id)).toMatchObject({ input: row.input, revision: 0 });
    }
    set.close();
    // the same bytes, whoever wrote them
    const direct = temporaryStore();
    writeRows(direct, spec, rows);
    const shards = (place: string): string[] => filesBelow(join(sampleFolder(place), 'shards'));
    expect(shards(store)).toEqual(shards(direct));
  });

  it('holds what had waited long enough', () => {
    const rows = sampleRows(spec, 10);
    let seconds = 0;
    const left = (settleSeconds: number | undefined): number => {
      const store = temporaryStore();
      seconds = 0;
      const now = (): number => 1000 * (seconds += 3);
      abandon(store, rows, { now, ...(settleSeconds === undefined ? {} : { settleSeconds }) });
      return rowsOf(store).length;
    };
    // The clock is asked twice for the first row of a batch, once for the others.
    expect(left(0)).toBe(10);
    expect(left(9)).toBe(9);
    expect(left(undefined)).toBe(7);
    expect(left(1000)).toBe(0);
  });

  it('is believed row by row', () => {
    const store = temporaryStore();
    const rows = sampleRows(spec, 8);
    const [shard = ''] = abandon(store, rows);
    const bytes = readFileSync(shard);
    const third = asStored(rows[2] as FeatureRow, 'float16').values;
    const at = bytes.indexOf(Buffer.from(third.buffer, third.byteOffset, third.byteLength));
    expect(at).toBeGreaterThan(0);
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(shard, bytes);
    const ids = rows.map(({ id }) => id);
    expect(rowsOf(store).map(({ id }) => id)).toEqual(ids.toSpliced(2, 1));
    // what did not reach the disk
    truncateSync(shard, at);
    expect(rowsOf(store).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    // a line that was cut off, then one that is none
    const journal = `${shard}.rows`;
    truncateSync(journal, readFileSync(journal).length - 10);
    expect(rowsOf(store).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    appendFileSync(journal, '\nnothing\n');
    expect(rowsOf(store)).toEqual([]);
    const writer = openFeatureSetWriter({ store, spec, part: 'main' });
    expect(writer.takenIn).toBe(0);
    writer.close();
    expect(hasAbandonedRows(sampleFolder(store))).toBe(false);
  });

  it('is found also where the shard has its name already, and no index lists it', () => {
    const store = temporaryStore();
    const rows = sampleRows(spec, 50);
    const [shard = ''] = abandon(store, rows);
    // as `finish` does it before the index is written
    const sha256 = sha256Hex(readFileSync(shard));
    appendFileSync(`${shard}.rows`, `${JSON.stringify({ sealed: sha256 })}\n`);
    expect(rowsOf(store)).toHaveLength(50);
    renameSync(shard, join(sampleFolder(store), 'shards', `sha256-${sha256}.arrow`));
    expect(rowsOf(store)).toHaveLength(50);
    const writer = openFeatureSetWriter({ store, spec, part: 'main' });
    expect(writer.takenIn).toBe(50);
    writer.close();
    const { rows: all } = readFeatureSetIndex([store], spec);
    expect([...all.keys()].sort()).toEqual(rows.map(({ id }) => id).sort());
    expect(hasAbandonedRows(sampleFolder(store))).toBe(false);
  });

  it('goes to one of several writers, and adds nothing that is there', () => {
    const store = temporaryStore();
    const [old, ...rows] = sampleRows(spec, 6) as [FeatureRow, ...FeatureRow[]];
    writeRows(store, spec, [old, ...rows.slice(0, 2)]);
    // one as it is there, one of a changed input, and new ones
    const changed = { ...(rows[0] as FeatureRow), input: '9'.repeat(64) };
    const [shard = ''] = abandon(store, [old, changed, ...rows.slice(2)], { part: 'a' });
    const own = claimAbandoned(sampleFolder(store), shard) as string;
    expect(own).toContain(`-${process.pid}-`);
    expect(claimAbandoned(sampleFolder(store), shard)).toBeNull();
    for (const suffix of ['', '.rows']) renameSync(`${own}${suffix}`, `${shard}${suffix}`);
    const first = openFeatureSetWriter({ store, spec, part: 'b' });
    const second = openFeatureSetWriter({ store, spec, part: 'c' });
    expect([first.takenIn, second.takenIn]).toEqual([4, 0]);
    first.close();
    second.close();
    const { rows: all } = readFeatureSetIndex([store], spec);
    expect(all.size).toBe(6);
    expect(all.get(changed.id)).toMatchObject({ input: changed.input, revision: 1 });
  });

  it('survives a repair, and stays where nobody can tell whether its writer lives', async () => {
    const store = temporaryStore();
    writeRows(store, spec, sampleRows(spec, 4));
    const [shard = ''] = abandon(store, [sampleRow(spec, 7)]);
    writeFileSync(join(sampleFolder(store), 'feature.json'), '{}');
    repairSet(await verifySet(locate(store, spec)), { now: new Date(0) });
    expect(rowsOf(store).map(({ id }) => id)).toEqual([sampleRow(spec, 7).id]);
    const host = hostname().replaceAll(/[^A-Za-z0-9.]/g, '_');
    for (const suffix of ['', '.rows'])
      renameSync(`${shard}${suffix}`, `${shard}${suffix}`.replace(`.tmp-${host}-`, '.tmp-elsewhere-'));
    openFeatureSetWriter({ store, spec, part: 'main' }).close();
    expect(filesBelow(sampleFolder(store)).filter((file) => file.includes('elsewhere'))).toHaveLength(2);
  });
});
