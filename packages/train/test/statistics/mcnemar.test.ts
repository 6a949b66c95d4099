import { describe, expect, it } from 'vitest';
import type { Prediction } from '../../src/evaluate/predict.ts';
import { mcnemar } from '../../src/statistics/mcnemar.ts';
import { predictionsOf } from '../support/run-folders.ts';

const byId = (list: readonly Prediction[]): Map<string, Prediction> =>
  new Map(list.map((one) => [one.id, one]));

describe('mcnemar', () => {
  it('counts what only one side has right', () => {
    const ids = Array.from({ length: 12 }, (_, i) => `u${i}`);
    const truth = ids.map(() => 0);
    const first = byId(predictionsOf(ids, truth, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1]));
    const second = byId(predictionsOf(ids, truth, [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 2]));
    const found = mcnemar(ids, first, second);
    expect(found).toMatchObject({ onlyFirst: 8, onlySecond: 2 });
    // 2 (1 + 10 + 45) / 1024
    expect(found.p).toBeCloseTo(0.109375, 9);
    expect(mcnemar(ids, first, first)).toEqual({ onlyFirst: 0, onlySecond: 0, p: 1 });
    expect(() => mcnemar(['x'], first, second)).toThrow('no prediction of x');
  });
});
