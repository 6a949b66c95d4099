import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NUMERICS_VERSION } from '../../src/record/run-id.ts';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { groupRuns, type RunGroup } from '../../src/catalogue/run-group.ts';
import { predictionsOf, type RunFolderSpec, writeRunFolder } from '../support/run-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-group-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const predictions = predictionsOf(['demo/a'], [0], [0]);
const write = (spec: RunFolderSpec): string => writeRunFolder(root, { predictions, ...spec });
const groups = (): RunGroup[] => groupRuns(readCatalogue(root).entries);

describe('groupRuns', () => {
  it('holds seeds and folds of one variant together, and says what is missing or unfinished', () => {
    for (const seed of [1, 2]) for (const fold of ['Ses01', 'Ses02']) write({ seed, fold });
    write({ seed: 1, fold: 'Ses03' });
    const unfinished = write({ seed: 2, fold: 'Ses03', predictions: undefined });
    write({ variant: 'no-ma', config: { 'ma.alpha': 0 }, fold: 'Ses01' });
    const [full, ablated] = groups();
    expect(full).toMatchObject({
      label: 'full',
      seeds: [1, 2],
      folds: ['Ses01', 'Ses02', 'Ses03'],
      missing: [],
      mixed: [],
    });
    expect(full?.runs).toHaveLength(6);
    expect(full?.unfinished.map((run) => run.id)).toEqual([unfinished]);
    // the other variant's folds show what it lacks
    expect(ablated?.label).toBe('no-ma');
    expect(ablated?.missing).toEqual([
      { seed: 1, fold: 'Ses02' },
      { seed: 1, fold: 'Ses03' },
    ]);
  });

  it('knows all folds of a protocol where a run states them', () => {
    write({ fold: 'Ses02', folds: ['Ses01', 'Ses02'] });
    expect(groups()[0]).toMatchObject({ folds: ['Ses01', 'Ses02'], missing: [{ seed: 1, fold: 'Ses01' }] });
  });

  it.each([
    ['configuration', { config: { lr: 0.01 } }, ['full (lr=0.001)', 'full (lr=0.01)']],
    [
      'fingerprint',
      { fingerprint: 'c'.repeat(64) },
      ['full (text=roberta-base@aaaaaaaa)', 'full (text=roberta-base@cccccccc)'],
    ],
    ['rows', { rows: 'd'.repeat(64) }, ['full (text rows=bbbbbbbb)', 'full (text rows=dddddddd)']],
    ['numerics', { numerics: 0 }, ['full (numerics=0)', `full (numerics=${NUMERICS_VERSION})`]],
    [
      'protocol',
      { protocol: { name: 'leave one session out', speakerDependent: false, where: 'words>2' } },
      ['full (protocol=)', 'full (protocol=leave one session out where words>2)'],
    ],
    [
      'dev part',
      { protocol: { name: 'leave one session out', speakerDependent: false, where: null, dev: 'session' } },
      ['full (protocol=)', 'full (protocol=leave one session out, dev session)'],
    ],
  ] as const)('never holds runs of another %s together', (_, other, labels) => {
    write({});
    write({ seed: 2, ...other });
    const found = groups();
    expect(found.map((group) => group.label).sort()).toEqual([...labels].sort());
    expect(found.map((group) => group.runs.length)).toEqual([1, 1]);
    expect(new Set(found.map((group) => group.key)).size).toBe(2);
  });

  it('marks runs of one fold that saw different utterances, and two runs of one cell', () => {
    const a = write({ seed: 1, utterances: 'x' });
    const b = write({ seed: 2, utterances: 'y' });
    expect(groups()[0]?.mixed).toEqual([
      `fold Ses01: its runs saw 2 different sets of utterances or labels: ${a} (seed 1), ${b} (seed 2)`,
    ]);
  });

  it('takes permuted labels for the different labels that they are meant to be', () => {
    write({ seed: 1, utterances: 'x', config: { 'labels.permute': true } });
    write({ seed: 2, utterances: 'y', config: { 'labels.permute': true } });
    expect(groups()[0]?.mixed).toEqual([]);
    write({ seed: 2, utterances: 'z', config: { 'labels.permute': true } });
    expect(groups()[0]?.mixed).toHaveLength(1);
  });

  it('marks groups of another numerics version', () => {
    write({ numerics: 0 });
    expect(groups()[0]).toMatchObject({ label: 'full', stale: true });
  });
});
