import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '@lsgmer/datasets';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { type GroupScores, scoreGroup } from '../../src/catalogue/group-scores.ts';
import { groupRuns } from '../../src/catalogue/run-group.ts';
import { mean, score, standardDeviation } from '../../src/evaluate/metrics.ts';
import { compareRows } from '../../src/statistics/compare-rows.ts';
import { differenceSentence } from '../../src/statistics/sentence.ts';
import { predictionsOf, type RunFolderSpec, writeRunFolder } from '../support/run-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-comparison-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const FOLDS = { Ses01: 120, Ses02: 90 };
type Fold = keyof typeof FOLDS;
const idsOf = (fold: Fold): string[] =>
  Array.from({ length: FOLDS[fold] }, (_, i) => `c/${fold}_d${Math.floor(i / 6)}_${i}`);
const dialogueOf = (id: string): string => id.slice(0, id.lastIndexOf('_'));
const truthOf = (fold: Fold): number[] => {
  const rng = Rng.for('truth', fold);
  return idsOf(fold).map(() => rng.int(4));
};
/** Right in a given share, by a generator of the name. */
function guesses(fold: Fold, share: number, name: string): number[] {
  const rng = Rng.for('guesses', fold, name);
  return truthOf(fold).map((label) => (rng.uniform() < share ? label : rng.int(4)));
}
function write(variant: string, seed: number, fold: Fold, share: number, over: RunFolderSpec = {}): string {
  const predictions = predictionsOf(idsOf(fold), truthOf(fold), guesses(fold, share, `${variant} ${seed}`));
  return writeRunFolder(root, { variant, seed, fold, config: { variant }, predictions, ...over });
}
function rows(...labels: string[]): GroupScores[] {
  const groups = groupRuns(readCatalogue(root).entries);
  return labels.map((label) => {
    const group = groups.find((one) => one.label === label);
    if (group === undefined) throw new Error(`${label}: have ${groups.map((one) => one.label).join(', ')}`);
    return scoreGroup(group, { select: 'last', missing: 'drop' });
  });
}
const options = { dialogueOf, draws: 2000 };
const folds = ['Ses01', 'Ses02'] as const;

describe('compareRows', () => {
  it('pairs by seed and fold, and takes seeds for what they are', () => {
    for (const seed of [1, 2, 3])
      for (const fold of folds) {
        write('full', seed, fold, 0.7);
        write('no-ma', seed, fold, 0.2);
      }
    const found = compareRows(rows('full', 'no-ma'), options);
    expect(found).toMatchObject({ unit: 'dialogue', units: 35, utterances: 210, leftOut: 0, alone: 0 });
    expect(found.folds).toEqual([
      { fold: 'Ses01', units: 20, utterances: 120 },
      { fold: 'Ses02', units: 15, utterances: 90 },
    ]);
    const [first, second] = found.rows;
    expect(first?.difference).toBeNull();
    const pooled = (variant: string, share: number, seed: number): number =>
      score(
        folds.flatMap(truthOf),
        folds.flatMap((fold) => guesses(fold, share, `${variant} ${seed}`)),
        4,
      ).ua;
    const expected = [1, 2, 3].map((seed) => pooled('no-ma', 0.2, seed) - pooled('full', 0.7, seed));
    const ua = second?.difference?.estimates.pooled.ua;
    ua?.bySeed.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 12));
    expect(ua?.value).toBeCloseTo(mean(expected), 12);
    expect(ua?.sdSeeds).toBeCloseTo(standardDeviation(expected), 12);
    expect(ua?.interval[1]).toBeLessThan(0);
    // one row: Holm's correction changes nothing
    expect(ua?.holm).toBe(ua?.p);
    expect(first?.levels.pooled.ua.bySeed[2]).toBeCloseTo(pooled('full', 0.7, 3), 12);
    expect(second?.difference?.mcnemar.map((one) => one.seed)).toEqual([1, 2, 3]);
    for (const { onlyFirst, onlySecond } of second?.difference?.mcnemar ?? [])
      expect(onlySecond).toBeGreaterThan(onlyFirst);
  });

  it('finds nothing between equal predictions, at no variance', () => {
    for (const seed of [1, 2]) for (const fold of folds) write('full', seed, fold, 0.6);
    for (const seed of [1, 2])
      for (const fold of folds)
        write('twin', seed, fold, 0, {
          predictions: predictionsOf(idsOf(fold), truthOf(fold), guesses(fold, 0.6, `full ${seed}`)),
        });
    const twin = compareRows(rows('full', 'twin'), options).rows[1]?.difference;
    expect(twin?.estimates.folds.wf1).toMatchObject({ value: 0, se: 0, p: 1, interval: [0, 0] });
    expect(twin?.mcnemar.map(({ p }) => p)).toEqual([1, 1]);
  });

  it('corrects p values over the rows of a table', () => {
    for (const fold of folds) for (const variant of ['full', 'a', 'b']) write(variant, 1, fold, 0.6);
    const [, a, b] = compareRows(rows('full', 'a', 'b'), options).rows;
    const p = [a, b].map((row) => row?.difference?.estimates.pooled.wa.p ?? NaN);
    const adjusted = [a, b].map((row) => row?.difference?.estimates.pooled.wa.holm ?? NaN);
    expect(Math.min(...adjusted)).toBeCloseTo(Math.min(1, 2 * Math.min(...p)), 12);
  });

  it('compares seeds that both have, and says how many utterances a side lacks', () => {
    for (const fold of folds) {
      write('full', 1, fold, 0.6);
      write('full', 2, fold, 0.6);
      write('other', 2, fold, 0.6);
    }
    const predictions = predictionsOf(idsOf('Ses01'), truthOf('Ses01'), truthOf('Ses01')).slice(2);
    const missingTest = idsOf('Ses01')
      .slice(0, 2)
      .map((id) => ({ id, reason: 'corrupt' }));
    write('gaps', 1, 'Ses01', 1, { predictions, missingTest });
    write('gaps', 1, 'Ses02', 1);
    const found = compareRows(rows('full', 'other', 'gaps'), options);
    expect(found).toMatchObject({ utterances: 208, leftOut: 2 });
    expect(found.rows.map((row) => row.difference?.seeds)).toEqual([undefined, [2], [1]]);
  });

  it('has narrower intervals over utterances where errors come by dialogue', () => {
    const inDialogues = (fold: Fold, name: string): number[] => {
      const rng = Rng.for('hard dialogues', fold, name);
      const hard = Array.from({ length: 20 }, () => rng.uniform() < 0.4);
      return truthOf(fold).map((label, i) => (hard[Math.floor(i / 6)] === true ? (label + 1) % 4 : label));
    };
    for (const variant of ['full', 'other'])
      for (const fold of folds)
        write(variant, 1, fold, 0, {
          predictions: predictionsOf(idsOf(fold), truthOf(fold), inDialogues(fold, variant)),
        });
    const width = (unit: 'dialogue' | 'utterance'): number => {
      const [low = 0, high = 0] =
        compareRows(rows('full', 'other'), { ...options, unit }).rows[1]?.difference?.estimates.pooled.wa
          .interval ?? [];
      return high - low;
    };
    expect(width('dialogue') / width('utterance')).toBeGreaterThan(1.8);
  });

  it('refuses what cannot be compared, all reasons at once', () => {
    write('full', 1, 'Ses01', 0.6);
    write('full', 1, 'Ses02', 0.6);
    write('part', 1, 'Ses01', 0.6);
    write('later', 2, 'Ses01', 0.6);
    write('later', 2, 'Ses02', 0.6);
    write('mixed', 1, 'Ses01', 0.6, { utterances: 'x' });
    write('mixed', 2, 'Ses01', 0.6, { utterances: 'y' });
    write('mixed', 1, 'Ses02', 0.6);
    const problems = (): string[] => {
      try {
        compareRows(rows('full', 'part', 'later', 'mixed'), options);
      } catch (error) {
        return (error as Error).message.split('\n');
      }
      return [];
    };
    expect(problems()).toEqual([
      'part: no seed has every fold: seed 1 lacks Ses02 (no run); train them, or compare on fewer folds with --fold',
      'later has seeds 2, full has 1: none in common to pair by',
      expect.stringContaining(
        'mixed: its runs must not be averaged: fold Ses01: its runs saw 2 different sets',
      ),
    ]);
  });

  it('says it in a sentence', () => {
    for (const fold of folds) {
      write('full', 1, fold, 0.7);
      write('no-ma', 1, fold, 0.3);
    }
    const found = compareRows(rows('full', 'no-ma'), options);
    const row = found.rows[1] as (typeof found.rows)[number];
    const told = differenceSentence(found, row, 'ua');
    expect(told).toMatch(
      /^no-ma is below full in UA \(pooled\): -\d+\.\d\d points, 95 % interval -\d+\.\d\d to -\d+\.\d\d, p < 0\.001; 1 seed, 35 dialogues, 210 utterances\. The smallest difference that this design finds with 80 % power is \d+\.\d\d points\. One seed: what other seeds would give is not covered\. McNemar's exact test is below 0\.05 in 1 of 1\.$/,
    );
    const iid = compareRows(rows('full', 'no-ma'), { ...options, unit: 'utterance' });
    expect(differenceSentence(iid, iid.rows[1] as never, 'wf1', 'folds')).toContain(
      'weighted F1 (mean over folds): -',
    );
    expect(differenceSentence(iid, iid.rows[1] as never, 'wf1')).toContain('95 % interval (iid, too narrow)');
  });

  it('says that predictions are identical, and gives no power for them', () => {
    for (const fold of folds) {
      const predictions = predictionsOf(idsOf(fold), truthOf(fold), guesses(fold, 0.7, 'full 1'));
      for (const variant of ['full', 'same']) write(variant, 1, fold, 0.7, { predictions });
    }
    const found = compareRows(rows('full', 'same'), options);
    expect(differenceSentence(found, found.rows[1] as never, 'ua')).toBe(
      'same and full have identical predictions (1 seed, 210 utterances): there is no difference to test. If their settings differ, those settings changed no prediction.',
    );
  });

  it('cuts intervals at what is possible, and says when no difference could be found', () => {
    for (const [seed, share] of [
      [1, 0],
      [2, 1],
    ] as const)
      for (const fold of folds) {
        write('full', seed, fold, 1 - share);
        write('other', seed, fold, share);
      }
    const found = compareRows(rows('full', 'other'), options);
    const row = found.rows[1] as (typeof found.rows)[number];
    expect(row.difference?.estimates.pooled.ua.interval).toEqual([-1, 1]);
    expect(differenceSentence(found, row, 'ua')).toContain('95 % interval -100.00 to +100.00');
    expect(differenceSentence(found, row, 'ua')).toContain(
      'No difference that is possible would be found with 80 % power',
    );
  });
});
