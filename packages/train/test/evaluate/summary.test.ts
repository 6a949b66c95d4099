import { describe, expect, it } from 'vitest';
import { spread, summariseFolds } from '../../src/evaluate/summary.ts';

const answer = (label: number, prediction: number, i: number) => ({
  id: `d/${i}`,
  label,
  prediction,
  probabilities: [],
});

describe('summaries', () => {
  it('tells the mean over folds from the pooled score', () => {
    // fold 1: 1 of 2 right; fold 2: 4 of 4
    const one = [answer(0, 0, 1), answer(1, 0, 2)];
    const two = [answer(0, 0, 3), answer(0, 0, 4), answer(0, 0, 5), answer(1, 1, 6)];
    const { overFolds, pooled } = summariseFolds([one, two], 2);
    expect(overFolds.mean.wa).toBe(0.75);
    expect(overFolds.sd?.wa).toBeCloseTo(Math.sqrt(0.125), 12);
    expect(pooled.wa).toBeCloseTo(5 / 6, 12);
    expect(overFolds.mean.ua).toBe(0.75);
    expect(pooled.ua).toBe(0.75);
  });

  it('has no spread over one value', () => {
    const scores = { wa: 0.5, ua: 0.4, wf1: 0.3, mf1: 0.2 };
    expect(spread([scores])).toEqual({ mean: scores, sd: null });
  });
});
