import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type IndexPart, writeIndexPart } from '../../src/store/index-part.ts';
import { readFeatureSetIndex, uniteParts } from '../../src/store/index-union.ts';
import { setFolder } from '../../src/store/layout.ts';
import { indexPart, temporaryStore } from './sample.ts';

const from = (folder: string, changes: Partial<IndexPart>): { folder: string; index: IndexPart } => ({
  folder,
  index: indexPart(changes),
});

describe('uniteParts', () => {
  it('takes the earlier part where two hold an utterance', () => {
    const { rows } = uniteParts([
      from('one', { utterances: { 'd/a': { shard: 1, input: 'x' } } }),
      from('two', { utterances: { 'd/a': { shard: 0, input: 'x' }, 'd/b': { shard: 0, input: 'y' } } }),
    ]);
    expect([...rows.keys()]).toEqual(['d/a', 'd/b']);
    expect(rows.get('d/a')).toMatchObject({ folder: 'one', shard: { sha256: '2'.repeat(64) }, revision: 0 });
    expect(rows.get('d/b')).toMatchObject({ folder: 'two', shard: { sha256: '1'.repeat(64) } });
  });

  it('takes a row of known input before one whose input is lost, whichever part has it', () => {
    const lost = from('one', { utterances: { 'd/a': { shard: 0, input: 'unknown' } } });
    const known = from('two', { utterances: { 'd/a': { shard: 0, input: 'x' } } });
    for (const parts of [
      [lost, known],
      [known, lost],
    ])
      expect(uniteParts(parts).rows.get('d/a')).toMatchObject({ folder: 'two', input: 'x' });
  });

  it('takes the highest revision, whichever part has it', () => {
    const old = from('one', { utterances: { 'd/a': { shard: 0, input: 'old' } } });
    const now = from('two', { utterances: { 'd/a': { shard: 0, input: 'new', revision: 1 } } });
    for (const parts of [
      [old, now],
      [now, old],
    ])
      expect(uniteParts(parts).rows.get('d/a')?.input).toBe('new');
  });

  it('prefers a computed row to a quarantined one of the same revision only', () => {
    const row = from('one', { utterances: { 'd/a': { shard: 0, input: 'x' } } });
    const failed = from('two', { quarantined: { 'd/a': { reason: 'r', input: 'x' } } });
    const later = from('two', { quarantined: { 'd/a': { reason: 'r', input: 'y', revision: 1 } } });
    expect(uniteParts([failed, row])).toMatchObject({
      rows: new Map([['d/a', { folder: 'one' }]]),
      quarantined: new Map(),
    });
    expect(uniteParts([row, later])).toMatchObject({
      rows: new Map(),
      quarantined: new Map([['d/a', { reason: 'r' }]]),
    });
  });
});

describe('readFeatureSetIndex', () => {
  const name = { dataset: 'd', feature: 'f', fingerprint: 'a'.repeat(64) };

  it('reads stores in order, and parts by name', () => {
    const stores = [temporaryStore(), temporaryStore(), temporaryStore()];
    const write = (store: number, part: string, input: string): void => {
      const folder = join(setFolder(stores[store] ?? '', name), 'index');
      mkdirSync(folder, { recursive: true });
      writeIndexPart(
        join(folder, `${part}.json`),
        indexPart({ part, utterances: { 'd/a': { shard: 0, input }, [`d/${input}`]: { shard: 0, input } } }),
      );
    };
    write(2, 'a', 'third');
    write(1, 'b', 'second');
    write(1, 'a', 'first');
    const { rows, parts } = readFeatureSetIndex(stores, name);
    expect(parts.map(({ index }) => index.part)).toEqual(['a', 'b', 'a']);
    expect([...rows.keys()].sort()).toEqual(['d/a', 'd/first', 'd/second', 'd/third']);
    expect(rows.get('d/a')?.input).toBe('first');
  });

  it('is empty where there is nothing, and refuses a part of another set', () => {
    const store = temporaryStore();
    expect(readFeatureSetIndex([store], name).rows.size).toBe(0);
    const path = join(setFolder(store, name), 'index', 'p.json');
    writeIndexPart(path, indexPart({ feature: 'other' }));
    expect(() => readFeatureSetIndex([store], name)).toThrow(`${path} belongs to d/other/`);
  });
});
