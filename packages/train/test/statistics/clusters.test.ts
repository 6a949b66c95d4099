import { describe, expect, it } from 'vitest';
import { NO_PREDICTION } from '../../src/evaluate/metrics.ts';
import { clusterFold, countByUnit } from '../../src/statistics/clusters.ts';
import { predictionsOf } from '../support/run-folders.ts';

const ids = ['c/d1_0', 'c/d2_0', 'c/d1_1', 'c/x', 'c/d1_2'];
const truth = [0, 1, 0, 2, 1];
const rows = ids.map((id, i) => ({ id, label: truth[i] as number }));
const dialogueOf = (id: string): string | null => /d\d/.exec(id)?.[0] ?? null;

describe('clusterFold', () => {
  it('puts utterances with their dialogue, and those without one by themselves', () => {
    const fold = clusterFold('Ses01', rows, dialogueOf);
    expect(fold.units).toBe(3);
    expect([...fold.unitOf]).toEqual([0, 1, 0, 2, 0]);
    expect(clusterFold('Ses01', rows, () => null).units).toBe(5);
  });
});

describe('countByUnit', () => {
  it('counts confusions by unit', () => {
    const fold = clusterFold('Ses01', rows, dialogueOf);
    const said = predictionsOf(ids, truth, [0, 0, 0, NO_PREDICTION, 2]).reverse();
    const { starts, cells, counts } = countByUnit(fold, said, 3, 'full');
    // a row of the matrix has three classes and `no prediction`
    expect([...starts]).toEqual([0, 2, 3, 4]);
    expect([...cells]).toEqual([0, 6, 4, 11]);
    expect([...counts]).toEqual([2, 1, 1, 1]);
  });

  it('wants a prediction of every utterance, and the same truth', () => {
    const fold = clusterFold('Ses01', rows, dialogueOf);
    const said = predictionsOf(ids, truth, truth);
    expect(() => countByUnit(fold, said.slice(1), 3, 'full, seed 2')).toThrow(
      'full, seed 2: fold Ses01 has no prediction of c/d1_0',
    );
    const other = predictionsOf(ids, [1, ...truth.slice(1)], truth);
    expect(() => countByUnit(fold, other, 3, 'full')).toThrow('full: the class of c/d1_0 is another one');
  });
});
