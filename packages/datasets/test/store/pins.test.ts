import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinRun, readPins } from '../../src/store/pins.ts';
import { temporaryStore } from './sample.ts';

const pin = { run: '0123456789ab', fingerprints: { 'sample-audio': 'a'.repeat(64) } };

describe('pins', () => {
  it('are left in every store that has the dataset, once', () => {
    const [one, two, without] = [temporaryStore(), temporaryStore(), temporaryStore()];
    for (const store of [one, two]) mkdirSync(join(store, 'sample'));
    const stores = [one, two, without, join(one, 'absent')];
    expect(pinRun(stores, 'sample', pin)).toEqual([one, two]);
    expect(pinRun(stores, 'sample', pin)).toEqual([one, two]);
    expect(JSON.parse(readFileSync(join(one, 'sample', 'pins', '0123456789ab.json'), 'utf8'))).toEqual({
      format: 1,
      ...pin,
    });
    expect(readPins(stores, 'sample')).toEqual([
      { format: 1, ...pin },
      { format: 1, ...pin },
    ]);
    expect(existsSync(join(without, 'sample'))).toBe(false);
  });

  it('never fail a run: a store that cannot be written is passed over', () => {
    const store = temporaryStore();
    mkdirSync(join(store, 'sample'));
    writeFileSync(join(store, 'sample', 'pins'), 'a file where a folder is needed');
    expect(pinRun([store], 'sample', pin)).toEqual([]);
  });

  it('stop a clean-up when they cannot be understood', () => {
    const store = temporaryStore();
    mkdirSync(join(store, 'sample', 'pins'), { recursive: true });
    writeFileSync(join(store, 'sample', 'pins', 'x.json'), '{"run":');
    expect(() => readPins([store], 'sample')).toThrow('x.json is damaged');
  });
});
