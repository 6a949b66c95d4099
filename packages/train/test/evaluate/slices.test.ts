import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Utterance } from '@lsgmer/datasets';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { scoreGroup } from '../../src/catalogue/group-scores.ts';
import { groupRuns, type RunGroup } from '../../src/catalogue/run-group.ts';
import { fieldValue, sliceScores } from '../../src/evaluate/slices.ts';
import { predictionsOf, writeRunFolder } from '../support/run-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-slices-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('sliceScores', () => {
  it('scores each part over folds and seeds, and leaves incomplete seeds out', () => {
    const write = (seed: number, fold: string, guesses: number[]): string =>
      writeRunFolder(root, {
        seed,
        fold,
        predictions: predictionsOf([`c/${fold}_F1`, `c/${fold}_F2`, `c/${fold}_M1`], [0, 1, 2], guesses),
      });
    write(1, 'Ses01', [0, 1, 0]);
    write(1, 'Ses02', [0, 0, 2]);
    write(2, 'Ses01', [0, 1, 2]);
    write(2, 'Ses02', [0, 1, 2]);
    write(3, 'Ses01', [3, 3, 3]);
    const scores = scoreGroup(groupRuns(readCatalogue(root).entries)[0] as RunGroup, {
      select: 'last',
      missing: 'error',
    });
    const found = sliceScores(scores, (id) => (id.includes('_F') ? 'F' : null));
    expect(found.map(({ value, n }) => [value, n])).toEqual([
      ['F', 4],
      ['(none)', 2],
    ]);
    expect(found[0]?.seeds.map(({ seed, metrics }) => [seed, metrics.wa])).toEqual([
      [1, 0.75],
      [2, 1],
    ]);
    expect(found[0]?.overSeeds.mean.wa).toBe(0.875);
    // one class only in the truth: its recall is the mean recall
    expect(found[1]?.seeds.map(({ metrics }) => [metrics.ua, metrics.absent])).toEqual([
      [0.5, 3],
      [1, 3],
    ]);
  });
});

describe('fieldValue', () => {
  const row = (over: object): Utterance =>
    ({
      speaker: 'a',
      session: null,
      tags: { style: 'scripted' },
      text: '',
      media: null,
      ...over,
    }) as unknown as Utterance;

  it('reads fields, tags, and ranges of lengths', () => {
    expect(fieldValue('speaker')?.(row({}))).toBe('a');
    expect(fieldValue('session')?.(row({}))).toBeNull();
    expect(fieldValue('tags.style')?.(row({}))).toBe('scripted');
    const seconds = (value: number) => fieldValue('seconds')?.(row({ media: { seconds: value } }));
    expect([0.5, 1, 3.99, 4, 16].map(seconds)).toEqual([
      '0 to under 1 s',
      '1 to under 2 s',
      '2 to under 4 s',
      '4 to under 8 s',
      '16 and more s',
    ]);
    expect(fieldValue('seconds')?.(row({}))).toBeNull();
    expect(fieldValue('words')?.(row({ text: 'no, not that one' }))).toBe('2 to under 5 words');
    expect(fieldValue('leaked')).toBeUndefined();
  });
});
