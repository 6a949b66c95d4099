import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '@lsgmer/datasets';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { type GroupScores, type ScoreRules, scoreGroup } from '../../src/catalogue/group-scores.ts';
import { groupRuns, type RunGroup } from '../../src/catalogue/run-group.ts';
import { mean, score, standardDeviation } from '../../src/evaluate/metrics.ts';
import { predictionsOf, type RunFolderSpec, writeRunFolder } from '../support/run-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-scores-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const rng = Rng.for('group scores');
const ids = (fold: string, n: number): string[] => Array.from({ length: n }, (_, i) => `demo/${fold}_${i}`);
const some = (n: number): number[] => Array.from({ length: n }, () => rng.int(4));
const write = (spec: RunFolderSpec): string => writeRunFolder(root, spec);
const group = (): RunGroup => groupRuns(readCatalogue(root).entries)[0] as RunGroup;
const rules: ScoreRules = { select: 'last', missing: 'error' };
const scored = (over: Partial<ScoreRules> = {}): GroupScores => scoreGroup(group(), { ...rules, ...over });

describe('scoreGroup', () => {
  it('gives every seed its folds, mean over folds and pooled, and the spread over complete seeds', () => {
    const cells = new Map<string, { truth: number[]; guesses: number[] }>();
    for (const seed of [1, 2, 3])
      for (const [fold, n] of [
        ['Ses01', 40],
        ['Ses02', 25],
      ] as const) {
        const cell = { truth: some(n), guesses: some(n) };
        cells.set(`${seed} ${fold}`, cell);
        write({ seed, fold, predictions: predictionsOf(ids(fold, n), cell.truth, cell.guesses) });
      }
    const found = scored();
    const expected = [1, 2, 3].map((seed) => {
      const [a, b] = ['Ses01', 'Ses02'].map((fold) => cells.get(`${seed} ${fold}`));
      const of = (cell: typeof a): number => score(cell?.truth ?? [], cell?.guesses ?? [], 4).ua;
      const all = [...(a?.truth ?? []), ...(b?.truth ?? [])];
      const said = [...(a?.guesses ?? []), ...(b?.guesses ?? [])];
      return { folds: [of(a), of(b)], pooled: score(all, said, 4).ua };
    });
    expect(found.seeds.map((one) => one.folds.map((cell) => cell.metrics.ua))).toEqual(
      expected.map((one) => one.folds),
    );
    expect(found.seeds.map((one) => one.pooled?.ua)).toEqual(expected.map((one) => one.pooled));
    expect(found.overSeeds?.pooled.mean.ua).toBeCloseTo(mean(expected.map((one) => one.pooled)), 14);
    expect(found.overSeeds?.overFolds.sd?.ua).toBeCloseTo(
      standardDeviation(expected.map((one) => mean(one.folds))),
      14,
    );
    expect(found.coverage).toEqual({ evaluated: 65, expected: 65, comparable: true });
    expect(found.complete).toEqual([1, 2, 3]);
  });

  it('leaves seeds out that lack a fold, and says why', () => {
    const predictions = predictionsOf(ids('x', 4), [0, 1, 2, 3], [0, 1, 2, 0]);
    for (const seed of [1, 2, 3]) write({ seed, fold: 'Ses01', predictions });
    write({ seed: 1, fold: 'Ses02', predictions });
    write({ seed: 2, fold: 'Ses02', epoch: 12 });
    const found = scored();
    expect(found.seeds.map((one) => one.lacking)).toEqual([
      [],
      [{ fold: 'Ses02', reason: 'at epoch 12 of 50' }],
      [{ fold: 'Ses02', reason: 'no run' }],
    ]);
    expect(found.complete).toEqual([1]);
    expect(found.overSeeds?.pooled).toMatchObject({ mean: { wa: 0.75 }, sd: null });
  });

  it('averages nothing over runs that saw different utterances', () => {
    const predictions = predictionsOf(ids('x', 2), [0, 1], [0, 1]);
    write({ seed: 1, utterances: 'x', predictions });
    write({ seed: 2, utterances: 'y', predictions });
    expect(scored()).toMatchObject({ complete: [1, 2], overSeeds: null });
  });

  it('reads the predictions of the rule that is asked for', () => {
    const last = predictionsOf(['demo/a', 'demo/b'], [0, 1], [1, 0]);
    const best = predictionsOf(['demo/a', 'demo/b'], [0, 1], [0, 1]);
    write({ predictions: last, others: { 'oracle-test': best } });
    expect(scored().overSeeds?.pooled.mean.wa).toBe(0);
    expect(scored({ select: 'oracle-test' as ScoreRules['select'] }).overSeeds?.pooled.mean.wa).toBe(1);
    const none = scored({ select: 'dev' as ScoreRules['select'] });
    expect(none.overSeeds).toBeNull();
    expect(none.seeds[0]?.lacking).toEqual([{ fold: 'Ses01', reason: 'no predictions of the epoch dev' }]);
  });

  it('counts what lacks features by the rule', () => {
    const predictions = predictionsOf(ids('x', 8), Array<number>(8).fill(1), Array<number>(8).fill(1));
    const missingTest = [
      { id: 'demo/gone_1', reason: 'quarantined: corrupt' },
      { id: 'demo/gone_2', reason: 'quarantined: corrupt' },
    ];
    const id = write({ predictions, missingTest });
    expect(() => scored()).toThrow(
      `run ${id} (full, fold Ses01, seed 1): 2 of 10 test utterances lack a feature (first demo/gone_1: quarantined: corrupt)`,
    );
    const drop = scored({ missing: 'drop' });
    expect(drop.coverage).toEqual({ evaluated: 8, expected: 10, comparable: false });
    expect(drop.overSeeds?.pooled.mean.wa).toBe(1);
    const wrong = scored({ missing: 'wrong', labelOf: () => 0 });
    expect(wrong.coverage).toEqual({ evaluated: 10, expected: 10, comparable: true });
    expect(wrong.overSeeds?.pooled.mean).toMatchObject({ wa: 0.8, ua: 0.5 });
    expect(() => scored({ missing: 'wrong' })).toThrow(
      'demo/gone_1 has no feature, and its class is not known',
    );
  });

  it('takes predictions with masked modalities as the rule says', () => {
    const all = predictionsOf(
      [...ids('x', 8), 'demo/half'],
      Array<number>(9).fill(1),
      Array<number>(9).fill(1),
    );
    const missingTest = [
      { id: 'demo/half', reason: 'no wavlm-large' },
      { id: 'demo/gone', reason: 'no wavlm-large, no roberta-base' },
    ];
    write({ predictions: all, missingTest, expected: 10 });
    const n = (found: GroupScores) => [found.coverage?.evaluated, found.overSeeds?.pooled.mean.wa];
    const labelOf = (): number => 1;
    expect(n(scored({ missing: 'mask', labelOf }))).toEqual([10, 0.9]);
    expect(n(scored({ missing: 'wrong', labelOf }))).toEqual([10, 0.8]);
    expect(n(scored({ missing: 'drop' }))).toEqual([8, 1]);
    expect(() => scored()).toThrow(
      '2 of 10 test utterances lack a feature (first demo/half: no wavlm-large)',
    );
  });

  it('does not take a run for one with masked modalities that is none', () => {
    const predictions = predictionsOf(ids('x', 2), [1, 1], [1, 1]);
    write({ predictions, missingTest: [{ id: 'demo/gone', reason: 'corrupt' }] });
    expect(() => scored({ missing: 'mask', labelOf: () => 1 })).toThrow('and it predicts none of them');
  });

  it('notices predictions that are not those of its test part', () => {
    const id = write({ predictions: predictionsOf(ids('x', 3), [0, 1, 2], [0, 1, 2]) });
    const path = join(root, 'demo', '4class', id, 'predictions.csv');
    writeFileSync(
      path,
      'id,fold,label,prediction,p_angry,p_happy,p_neutral,p_sad\ndemo/x_0,Ses01,angry,angry,1,0,0,0\n',
    );
    expect(() => scored()).toThrow(
      `${path}: 1 predictions and 0 utterances without features, expected 3 in all`,
    );
  });
});
