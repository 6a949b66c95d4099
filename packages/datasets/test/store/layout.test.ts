import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  checkName,
  firstWritableStore,
  indexPath,
  parseStoreList,
  setFolder,
  shardPath,
} from '../../src/store/layout.ts';
import { temporaryStore } from './sample.ts';

const fingerprint = 'ab'.repeat(32);

describe('paths', () => {
  it('are those of the design', () => {
    const folder = setFolder('/store', { dataset: 'meld', feature: 'wavlm-large', fingerprint });
    expect(folder).toBe(join('/store', 'meld', 'wavlm-large', fingerprint));
    expect(shardPath(folder, 'cd')).toBe(join(folder, 'shards', 'sha256-cd.arrow'));
    expect(indexPath(folder, 'host-1')).toBe(join(folder, 'index', 'host-1.json'));
  });

  it('never leave the store', () => {
    for (const name of ['..', '.', '.hidden', 'a/b', '', 'a b', 'a@b']) {
      expect(() => checkName('dataset', name)).toThrow(`"${name}" is no name for a dataset`);
    }
    expect(() => checkName('feature', 'manifests')).toThrow('other than manifests, models, pins, trash');
    expect(() => setFolder('/s', { dataset: 'd', feature: 'f', fingerprint: 'ABC' })).toThrow(
      '"ABC" is no fingerprint',
    );
  });
});

describe('parseStoreList', () => {
  it('keeps the order, makes paths absolute, and drops empty and repeated ones', () => {
    expect(parseStoreList('/group/store::own:/group/store')).toEqual(['/group/store', resolve('own')]);
    expect(parseStoreList('')).toEqual([]);
  });
});

describe('firstWritableStore', () => {
  it('takes the first folder that can be written, or made', () => {
    const folder = temporaryStore();
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'there'));
    // a store can't lie below a file, whoever asks
    const impossible = join(folder, 'file', 'store');
    expect(firstWritableStore([impossible, join(folder, 'new', 'deep'), join(folder, 'there')])).toBe(
      join(folder, 'new', 'deep'),
    );
    expect(firstWritableStore([join(folder, 'there')])).toBe(join(folder, 'there'));
    expect(() => firstWritableStore([impossible])).toThrow(
      `none of the stores can be written: ${impossible}; add a folder of your own with --store`,
    );
    expect(() => firstWritableStore([])).toThrow(
      'no store was given: pass --store <folder> or set LSGMER_STORE',
    );
  });
});
