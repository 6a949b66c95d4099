import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { FeatureValueError } from '../../src/store/half.ts';
import { readIndexPart } from '../../src/store/index-part.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { planExtraction } from '../../src/store/plan.ts';
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
const choice = (store: string) => ({ stores: [store], dataset: spec.dataset, feature: spec.feature });

describe('openFeatureSetWriter', () => {
  it('writes several shards, and rows of each split to shards of their own', () => {
    const store = temporaryStore();
    const rows = ['train', 'dev', null].flatMap((split) => sampleRows(spec, 90, split));
    rows.sort((a, b) => a.input.localeCompare(b.input)); // splits take turns
    writeRows(store, spec, rows, { shardBytes: 4000 });
    const { shards, utterances } = readIndexPart(join(sampleFolder(store), 'index', 'main.json'));
    expect(shards.length).toBeGreaterThan(6);
    for (const [position, shard] of shards.entries()) {
      const table = tableFromIPC(
        readFileSync(join(sampleFolder(store), 'shards', `sha256-${shard.sha256}.arrow`)),
      );
      const ids = [...(table.getChild('utterance_id') ?? [])] as string[];
      expect(new Set(ids.map((id) => id.split('/')[1]))).toEqual(new Set([shard.split ?? 'all']));
      expect(table.schema.metadata.get('lsgmer.split')).toBe(shard.split ?? undefined);
      for (const id of ids) expect(utterances[id]?.shard).toBe(position);
    }
    const set = openFeatureSet(choice(store));
    for (const row of rows) expect(set.read(row.id)).toEqual(asStored(row, 'float16'));
    set.close();
  });

  it('leaves nothing but shards, index and feature.json behind', () => {
    const store = temporaryStore();
    writeRows(store, spec, sampleRows(spec, 40));
    expect(filesBelow(sampleFolder(store))).toEqual([
      'feature.json',
      'index/main.json',
      expect.stringMatching(/^shards\/sha256-[0-9a-f]{64}\.arrow$/),
    ]);
  });

  it('makes rows readable at flush, and goes on', () => {
    const store = temporaryStore();
    const writer = openFeatureSetWriter({ store, spec, part: 'main' });
    writer.append(sampleRow(spec, 0));
    expect(readFeatureSetIndex([store], spec).rows.size).toBe(0);
    writer.flush();
    expect(readFeatureSetIndex([store], spec).rows.size).toBe(1);
    writer.append(sampleRow(spec, 1));
    writer.discard();
    writer.close();
    expect([...readFeatureSetIndex([store], spec).rows.keys()]).toEqual([sampleRow(spec, 0).id]);
    expect(() => writer.append(sampleRow(spec, 1))).toThrow('the feature set writer is closed');
  });

  it('continues its part, and adds to the set of another', () => {
    const store = temporaryStore();
    writeRows(store, spec, sampleRows(spec, 10), { part: 'a' });
    writeRows(store, spec, sampleRows(spec, 20).slice(10), { part: 'a' });
    const first = openFeatureSetWriter({ store, spec, part: 'b' });
    const second = openFeatureSetWriter({ store, spec, part: 'c' });
    for (const row of sampleRows(spec, 60).slice(20)) (row.input.length % 2 ? first : second).append(row);
    expect(() => openFeatureSetWriter({ store, spec, part: 'b' })).toThrow('part "b" in');
    first.close();
    second.close();
    const set = openFeatureSet(choice(store));
    expect(set.ids().length).toBe(60);
    for (const row of sampleRows(spec, 60)) expect(set.read(row.id)).toEqual(asStored(row, 'float16'));
    set.close();
  });

  it('writes the same rows again to the same file', () => {
    const store = temporaryStore();
    writeRows(store, spec, sampleRows(spec, 40));
    const before = filesBelow(store);
    writeRows(store, spec, sampleRows(spec, 40));
    expect(filesBelow(store)).toEqual(before);
    expect(readIndexPart(join(sampleFolder(store), 'index', 'main.json')).shards.length).toBe(1);
  });

  it.each(['main', 'other'])('a changed input replaces its own row only (part %s)', (part) => {
    const store = temporaryStore();
    const rows = sampleRows(spec, 50);
    writeRows(store, spec, rows);
    const changed = sampleRow(spec, 7, 'train', 1);
    const wanted = rows.map((row) => (row.id === changed.id ? changed : row));
    expect(planExtraction(wanted, readFeatureSetIndex([store], spec))).toMatchObject({
      todo: [],
      stale: [changed.id],
    });
    writeRows(store, spec, [changed], { part });
    expect(planExtraction(wanted, readFeatureSetIndex([store], spec)).done.length).toBe(50);
    const set = openFeatureSet(choice(store));
    for (const row of wanted) expect(set.read(row.id)).toEqual(asStored(row, 'float16'));
    set.close();

    // and back again: neither part nor name decides, but the order of the changes
    writeRows(store, spec, [sampleRow(spec, 7)], { part: 'third' });
    expect(planExtraction(rows, readFeatureSetIndex([store], spec)).done.length).toBe(50);
  });

  it('replaces a row of a read-only store by one in its own', () => {
    const [group, own] = [temporaryStore(), temporaryStore()];
    writeRows(group, spec, sampleRows(spec, 5));
    const changed = sampleRow(spec, 2, 'train', 1);
    writeRows(own, spec, [changed], { readStores: [group] });
    const set = openFeatureSet({ ...choice(group), stores: [group, own] });
    expect(set.ids().length).toBe(5);
    expect(set.read(changed.id)).toEqual(asStored(changed, 'float16'));
    set.close();
  });

  it('keeps quarantined utterances until they can be computed', () => {
    const store = temporaryStore();
    const writer = openFeatureSetWriter({ store, spec, part: 'a' });
    writer.quarantine('sample/x', 'the WAV has 0 samples', 'input-x');
    writer.quarantine('sample/y', 'the WAV has 0 samples', 'input-y');
    writer.close();
    expect(
      planExtraction([{ id: 'sample/x', input: 'input-x' }], readFeatureSetIndex([store], spec)).quarantined,
    ).toEqual(['sample/x']);
    writeRows(store, spec, [{ ...sampleRow(spec, 0), id: 'sample/x', input: 'input-x' }], { part: 'b' });
    const set = openFeatureSet(choice(store));
    expect(set.quarantined()).toEqual(new Map([['sample/y', 'the WAV has 0 samples']]));
    expect(set.has('sample/x')).toBe(true);
    set.close();
  });

  it('never keeps an utterance both computed and quarantined in one part', () => {
    const store = temporaryStore();
    const row = sampleRow(spec, 0);
    const part = () => readIndexPart(join(sampleFolder(store), 'index', 'main.json'));
    const quarantine = (input: string): void => {
      const writer = openFeatureSetWriter({ store, spec, part: 'main' });
      writer.quarantine(row.id, 'cut off', input);
      writer.close();
    };
    quarantine(row.input);
    writeRows(store, spec, [row]);
    expect(part()).toMatchObject({ utterances: { [row.id]: { input: row.input } }, quarantined: {} });
    quarantine('changed');
    expect(part()).toMatchObject({
      utterances: {},
      quarantined: { [row.id]: { input: 'changed', revision: 1 } },
    });
  });

  it('quarantines an utterance whose changed input fails', () => {
    const store = temporaryStore();
    const row = sampleRow(spec, 0);
    writeRows(store, spec, [row], { part: 'a' });
    const writer = openFeatureSetWriter({ store, spec, part: 'b' });
    writer.quarantine(row.id, 'cut off', 'changed');
    writer.close();
    const { rows, quarantined } = readFeatureSetIndex([store], spec);
    expect([rows.size, quarantined.get(row.id)?.reason]).toEqual([0, 'cut off']);
  });
});

describe('values that float16 can not hold', () => {
  const wide = { ...sampleRow(spec, 3), n: 2, features: new Float32Array(16).fill(1) };
  wide.features[13] = -1e6;

  it('are refused by default, and the writer goes on', () => {
    const store = temporaryStore();
    const writer = openFeatureSetWriter({ store, spec, part: 'main' });
    writer.append(sampleRow(spec, 0));
    expect(() => writer.append(wide)).toThrow(
      new FeatureValueError(
        `${wide.id}: sample-audio at step 1, dimension 5 is -1000000, beyond float16's range of +-65504: --overflow float32 keeps such rows as float32 (--retry, where they are quarantined), --store-dtype float32 all`,
      ),
    );
    writer.quarantine(wide.id, 'beyond the range', wide.input);
    writer.close();
    expect([...readFeatureSetIndex([store], spec).rows.keys()]).toEqual([sampleRow(spec, 0).id]);
  });

  it('go to a float32 shard on request, and the set is then read as float32', () => {
    const store = temporaryStore();
    writeRows(store, spec, [...sampleRows(spec, 3), wide], { onOverflow: 'float32' });
    const set = openFeatureSet(choice(store));
    expect(set.dtype).toBe('float32');
    expect(set.read(wide.id).values).toEqual(wide.features);
    const { values } = set.read(sampleRow(spec, 1).id);
    expect(values).toBeInstanceOf(Float32Array);
    for (const [k, value] of sampleRow(spec, 1).features.entries()) {
      expect(Math.abs((values[k] ?? NaN) - value)).toBeLessThanOrEqual(
        Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
      );
    }
    set.close();
  });

  it.each([NaN, Infinity, -Infinity])('%s is refused whatever was asked for', (value) => {
    const store = temporaryStore();
    const row = { ...wide, features: wide.features.map((x, k) => (k === 15 ? value : x)) };
    for (const options of [{ onOverflow: 'float32' as const }, { spec: sampleSpec({ dtype: 'float32' }) }]) {
      const writer = openFeatureSetWriter({ store, spec, part: 'main', ...options });
      expect(() => writer.append(row)).toThrow(
        `${row.id}: sample-audio at step 1, dimension 7 is ${value}: expected a finite number`,
      );
      writer.close();
    }
  });
});

describe('refusals', () => {
  it('names what a row contradicts', () => {
    const writer = openFeatureSetWriter({ store: temporaryStore(), spec, part: 'main' });
    const row = sampleRow(spec, 0);
    expect(() => writer.append({ ...row, n: row.n + 1 })).toThrow(
      `${row.id}: ${row.n * 8} values, expected ${row.n + 1} x 8`,
    );
    expect(() => writer.append({ ...row, n: 0, features: new Float32Array(0) })).toThrow(
      `${row.id}: n is 0, expected at least 1`,
    );
    expect(() => writer.append({ ...row, id: '../x' })).toThrow('"../x" is no utterance id');
    expect(() => writer.append({ ...row, tokenIds: new Int32Array(row.n) })).toThrow(
      `${row.id}: expected no tokens`,
    );
    writer.append(row);
    expect(() => writer.append(row)).toThrow(`${row.id} was appended twice`);
    expect(() => writer.quarantine(row.id, 'r', 'i')).toThrow(
      `${row.id} was appended before it was quarantined`,
    );
    writer.close();
    const text = openFeatureSetWriter({
      store: temporaryStore(),
      spec: sampleSpec({ kind: 'text' }),
      part: 'main',
    });
    expect(() => text.append({ ...row, tokenIds: new Int32Array(row.n) })).toThrow(
      `${row.id}: expected ${row.n} token ids and ${2 * row.n} offsets`,
    );
    text.close();
  });

  it('does not write beside a feature.json that says something else', () => {
    const store = temporaryStore();
    writeRows(store, spec, sampleRows(spec, 1));
    expect(() => openFeatureSetWriter({ store, spec: { ...spec, dim: 16 }, part: 'main' })).toThrow(
      'describes another feature than the one to be written: dim: 8 -> 16',
    );
    writeRows(store, { ...spec, provenance: { threads: 4 } }, [sampleRow(spec, 1)]);
    expect(() =>
      openFeatureSetWriter({ store, spec: { ...spec, computation: { version: 2 } }, part: 'main' }),
    ).toThrow('the fingerprint is not that of its computation');
    expect(() => openFeatureSetWriter({ store, spec, part: '../x' })).toThrow('"../x" is no name for a part');
    expect(() => openFeatureSetWriter({ store, spec, part: 'x', shardBytes: 2 ** 31 })).toThrow(
      `a shard of ${2 ** 31} bytes can't be made`,
    );
  });

  it('stops on a damaged index before it writes anything, and gives the part back', () => {
    const store = temporaryStore();
    writeRows(store, spec, sampleRows(spec, 1));
    const path = join(sampleFolder(store), 'index', 'main.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('input-0', 'input-1'));
    expect(() => openFeatureSetWriter({ store, spec, part: 'main' })).toThrow(`${path} is damaged`);
    writeFileSync(path, text);
    openFeatureSetWriter({ store, spec, part: 'main' }).close();
  });

  it('gives its part back when writing fails', () => {
    const store = temporaryStore();
    const writer = openFeatureSetWriter({ store, spec, part: 'main' });
    const shards = join(sampleFolder(store), 'shards');
    rmSync(shards, { recursive: true });
    writeFileSync(shards, 'not a folder');
    expect(() => {
      for (const row of sampleRows(spec, 40)) writer.append(row);
    }).toThrow(/EEXIST|ENOTDIR/);
    expect(() => writer.flush()).toThrow('the feature set writer is closed');
    rmSync(shards);
    writeRows(store, spec, sampleRows(spec, 40));
    expect(readFeatureSetIndex([store], spec).rows.size).toBe(40);
  });
});
