import { Rng } from '@lsgmer/datasets';
import { describe, expect, it } from 'vitest';
import { metricKeys, metricsOf } from '../../src/evaluate/metrics.ts';
import { scorePlace, scoresOfCounts } from '../../src/statistics/scores-of-counts.ts';

describe('scoresOfCounts', () => {
  it('equals metricsOf, whose values are those of scikit-learn, on random and degenerate counts', () => {
    const rng = Rng.for('scores of counts');
    for (let round = 0; round < 300; round++) {
      const classes = 2 + rng.int(6);
      const empty = rng.uniform();
      const cell = (): number => (rng.uniform() < empty ? 0 : rng.int(30));
      const confusion = Array.from({ length: classes }, () => Array.from({ length: classes }, cell));
      const unanswered = Array.from({ length: classes }, cell);
      const flat = confusion.flatMap((row, k) => [...row, unanswered[k] as number]);
      const out = new Float64Array(6);
      scoresOfCounts(flat, classes, out, 1);
      const expected = metricsOf({ confusion, unanswered });
      for (const key of metricKeys) {
        const found = out[1 + scorePlace[key]] as number;
        if (Number.isNaN(expected[key])) expect(found).toBeNaN();
        else expect(Math.abs(found - expected[key])).toBeLessThanOrEqual(1e-12);
      }
      expect([out[0], out[5]]).toEqual([0, 0]);
    }
  });
});
