import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/canonical-json.ts';
import { Rng } from '../../src/base/rng.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { readIndexPart } from '../../src/store/index-part.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { hasAbandonedRows } from '../../src/store/shard-journal.ts';
import { isDamaged, verifySet } from '../../src/store/verify.ts';
import { bundled } from './bundled.ts';
import { locate } from './damaged-store.ts';
import { asStored, filesBelow, sampleFolder, sampleRow, sampleSpec, temporaryStore } from './sample.ts';

const spec = sampleSpec();
let script = '';
let remove = (): void => {};

beforeAll(async () => {
  ({ script, remove } = await bundled('writing-process'));
});
afterAll(() => remove());

function start(store: string, part: string, from: number, to: number, ...settle: string[]): ChildProcess {
  return spawn(process.execPath, [script, store, part, String(from), String(to), ...settle], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Kills the writer without warning once it has appended this many rows. @returns how it ended. */
async function killAfter(child: ChildProcess, rows: number): Promise<NodeJS.Signals | null> {
  await rowsUntilKilled(child, rows);
  return child.signalCode;
}

/** The same. @returns how many rows it said that it had appended. */
async function rowsUntilKilled(child: ChildProcess, rows: number): Promise<number> {
  let seen = 0;
  child.stdout?.on('data', (bytes: Buffer) => {
    seen += bytes.length;
    if (seen >= rows) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return seen;
}

async function finish(child: ChildProcess): Promise<void> {
  child.stdout?.resume();
  await once(child, 'close');
  expect(child.exitCode).toBe(0);
}

/** Every file under a final name is whole, and the index lists nothing that is not there. @returns rows that can be read. */
function checkWhole(store: string): number {
  const set = sampleFolder(store);
  if (!existsSync(set)) return 0;
  for (const file of filesBelow(set)) {
    if (basename(file).startsWith('.tmp-')) continue;
    if (file.endsWith('.arrow'))
      expect(`shards/sha256-${sha256Hex(readFileSync(join(set, file)))}.arrow`).toBe(file);
    else if (file.startsWith('index/')) readIndexPart(join(set, file));
    else expect(JSON.parse(readFileSync(join(set, file), 'utf8'))).toEqual(spec);
  }
  const { parts, rows } = readFeatureSetIndex([store], spec);
  for (const { index } of parts) {
    for (const { sha256 } of index.shards)
      expect(existsSync(join(set, 'shards', `sha256-${sha256}.arrow`))).toBe(true);
  }
  return rows.size;
}

function checkComplete(store: string, rows: number): void {
  expect(filesBelow(store).filter((file) => basename(file).startsWith('.tmp-'))).toEqual([]);
  const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
  expect(set.ids().length).toBe(rows);
  for (const id of set.ids()) {
    const [, split, name] = id.split('/') as [string, string, string];
    expect(set.read(id)).toEqual(asStored(sampleRow(spec, Number(name.slice(1)), split), 'float16'));
  }
  set.close();
}

describe('a writer killed with SIGKILL', () => {
  it('at ten random moments in turn leaves only whole files, and the next one goes on', async () => {
    const store = temporaryStore();
    const rng = Rng.for('kill');
    const total = 400;
    let held = 0;
    let killed = 0;
    for (let i = 0; i < 10; i++) {
      const signal = await killAfter(start(store, 'main', 0, total), 1 + rng.int(80));
      if (signal === 'SIGKILL') killed++;
      const now = checkWhole(store);
      expect(now).toBeGreaterThanOrEqual(held); // nothing that was safe is lost
      held = now;
    }
    expect(killed).toBeGreaterThan(5);
    expect(held).toBeGreaterThan(0);
    await finish(start(store, 'main', 0, total));
    checkWhole(store);
    checkComplete(store, total);
  });

  it('loses none of the rows that it had time to settle, though no shard was finished', async () => {
    const store = temporaryStore();
    const rng = Rng.for('settle');
    const total = 400;
    let held = 0;
    for (let i = 0; i < 4; i++) {
      const seen = await rowsUntilKilled(start(store, 'main', 0, total, '0'), 1 + rng.int(60));
      expect(hasAbandonedRows(sampleFolder(store))).toBe(true);
      expect(checkWhole(store)).toBe(held);
      // whoever writes next takes them in, whatever it is going to write
      const writer = openFeatureSetWriter({ store, spec, part: i === 2 ? 'other' : 'main' });
      expect(writer.takenIn).toBeGreaterThanOrEqual(seen);
      writer.close();
      held = checkWhole(store);
      expect(hasAbandonedRows(sampleFolder(store))).toBe(false);
    }
    // where batches are to be full, those that are reach the file
    const seen = await rowsUntilKilled(start(store, 'main', 0, total, '1000'), 120);
    const writer = openFeatureSetWriter({ store, spec, part: 'main' });
    expect(writer.takenIn).toBeGreaterThan(seen - 2 * 32);
    writer.close();
    await finish(start(store, 'main', 0, total, '0'));
    checkWhole(store);
    checkComplete(store, total);
    expect(isDamaged(await verifySet(locate(store, spec)))).toBe(false);
  });

  it('does no harm to another that writes the same set', async () => {
    const store = temporaryStore();
    const [victim, other] = [start(store, 'a', 0, 150), start(store, 'b', 150, 300)];
    const [signal] = await Promise.all([killAfter(victim, 60), finish(other)]);
    expect(signal).toBe('SIGKILL');
    expect(checkWhole(store)).toBeGreaterThanOrEqual(150);
    // the part of the dead writer is free again
    await Promise.all([finish(start(store, 'a', 0, 150)), finish(start(store, 'b', 150, 300))]);
    checkWhole(store);
    checkComplete(store, 300);
  });

  it('leaves nothing to mend where eight write at once and two of them are killed', async () => {
    const store = temporaryStore();
    const writer = (i: number): ChildProcess => start(store, `w${i}`, 25 * i, 25 * i + 25);
    const children = Array.from({ length: 8 }, (_, i) => writer(i));
    await Promise.all(children.map((child, i) => (i % 4 === 1 ? killAfter(child, 12) : finish(child))));
    checkWhole(store);
    // a shard whose writer was killed before it listed it is its next run's
    const between = await verifySet(locate(store, spec));
    expect(isDamaged({ ...between, unlisted: [] })).toBe(false);
    await Promise.all([finish(writer(1)), finish(writer(5))]);
    checkComplete(store, 200);
    const check = await verifySet(locate(store, spec));
    expect([isDamaged(check), check.leftovers]).toEqual([false, []]);
    const listed = check.parts.flatMap(({ index }) => Object.keys(index?.utterances ?? {}));
    expect([listed.length, new Set(listed).size]).toEqual([200, 200]);
  });
});
