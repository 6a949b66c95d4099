import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { writeRunFolder } from '../support/run-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-catalogue-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('readCatalogue', () => {
  it('finds runs of all datasets and tasks, sorted by variant, seed, fold', () => {
    writeRunFolder(root, { variant: 'full', fold: 'Ses02' });
    writeRunFolder(root, { variant: 'full', fold: 'Ses01', seed: 2 });
    writeRunFolder(root, { variant: 'full', fold: 'Ses01' });
    writeRunFolder(root, { variant: 'a', config: { lr: 1 } });
    writeRunFolder(root, { dataset: 'meld', task: 'emotion7' });
    const told = readCatalogue(root).entries.map(({ variant, identity: { dataset, seed, fold } }) =>
      [dataset, variant, seed, fold].join(' '),
    );
    expect(told).toEqual([
      'demo a 1 Ses01',
      'demo full 1 Ses01',
      'demo full 1 Ses02',
      'demo full 2 Ses01',
      'meld full 1 Ses01',
    ]);
    expect(readCatalogue(root, { dataset: 'meld' }).entries).toHaveLength(1);
    expect(readCatalogue(root, { dataset: 'demo', task: 'other' }).entries).toEqual([]);
  });

  it('names what it cannot read, and goes on', () => {
    const id = writeRunFolder(root);
    writeRunFolder(root, { seed: 2 });
    const path = join(root, 'demo', '4class', id);
    writeFileSync(join(path, 'state.json'), '{}');
    const { entries, damaged } = readCatalogue(root);
    expect(entries).toHaveLength(1);
    expect(damaged).toEqual([
      { path, problem: `${path}/state.json: damaged; delete its folder and train again` },
    ]);
  });

  it('leaves out the trash, other folders, and a folder that is not there', () => {
    writeRunFolder(join(root, 'demo', 'trash', '2026-01-01'), { dataset: '.' });
    mkdirSync(join(root, 'demo', '4class', 'notes'), { recursive: true });
    expect(readCatalogue(root)).toEqual({ entries: [], damaged: [] });
    expect(readCatalogue(join(root, 'nowhere'))).toEqual({ entries: [], damaged: [] });
  });
});
