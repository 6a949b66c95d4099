import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOCAL_FILE, readLocalFile, rememberLocally, runsFolder, storeList } from '../src/settings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lsgmer-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the local file', () => {
  it('remembers roots and the last dataset, and keeps what it is not told about', () => {
    rememberLocally(folder, { lastDataset: 'meld' });
    rememberLocally(folder, { root: { dataset: 'meld', path: '/data/MELD' } });
    rememberLocally(folder, { root: { dataset: 'iemocap', path: '/data/IEMOCAP' }, lastDataset: 'iemocap' });
    expect(readLocalFile(folder)).toEqual({
      lastDataset: 'iemocap',
      roots: { meld: '/data/MELD', iemocap: '/data/IEMOCAP' },
    });
    const before = readFileSync(join(folder, LOCAL_FILE), 'utf8');
    rememberLocally(folder, { lastDataset: 'iemocap' });
    expect(readFileSync(join(folder, LOCAL_FILE), 'utf8')).toBe(before);
  });

  it('is refused with its place when it is damaged', () => {
    writeFileSync(join(folder, LOCAL_FILE), '{"roots": {}, "stroe": "x"}');
    expect(() => readLocalFile(folder)).toThrow(/\.lsgmer\.json: .*stroe/);
    writeFileSync(join(folder, LOCAL_FILE), '{');
    expect(() => readLocalFile(folder)).toThrow(/is not JSON/);
  });
});

describe('stores and runs', () => {
  it('come from the flag, the environment, the local file, or ./store, in this order', () => {
    const local = { roots: {}, store: '/local', runs: '/local-runs' };
    expect(storeList('/a:/b', { LSGMER_STORE: '/env' }, local)).toEqual(['/a', '/b']);
    expect(storeList(undefined, { LSGMER_STORE: '/env' }, local)).toEqual(['/env']);
    expect(storeList(undefined, {}, local)).toEqual(['/local']);
    expect(storeList(undefined, {}, { roots: {} })).toEqual(['./store']);
    expect(() => storeList(':', {}, local)).toThrow(/empty/);
    expect(runsFolder(undefined, { LSGMER_RUNS: '/env' }, local)).toBe('/env');
    expect(runsFolder(undefined, {}, { roots: {} })).toBe('./runs');
  });
});
