import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fitLogistic, predictLogistic } from '../../src/probe/logistic.ts';
import { scalingOf, standardised } from '../../src/probe/standardise.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/probe/probe.json', import.meta.url), 'utf8'),
) as {
  name: string;
  classes: number;
  dim: number;
  train: number;
  C: number;
  values: number[];
  labels: number[];
  probabilities: number[][];
}[];

describe('logistic regression', () => {
  it.each(golden)('has the probabilities of scikit-learn: $name', (one) => {
    const rows = one.labels.length;
    const matrix = { rows, dim: one.dim, values: Float64Array.from(one.values) };
    const training = Array.from({ length: one.train }, (_, i) => i);
    const test = Array.from({ length: rows - one.train }, (_, i) => one.train + i);
    const scaling = scalingOf(matrix, training);
    const model = fitLogistic(
      standardised(matrix, training, scaling),
      one.labels.slice(0, one.train),
      one.classes,
      one.C,
    );
    expect(model.converged).toBe(true);
    const p = predictLogistic(model, standardised(matrix, test, scaling));
    const worst = Math.max(...one.probabilities.flat().map((value, i) => Math.abs(value - (p[i] as number))));
    expect(worst).toBeLessThan(1e-4);
  });

  it('gives a class that training never sees next to nothing', () => {
    const values = Float64Array.from([1, 2, -1, -2, 1.5, -1.5]);
    const model = fitLogistic({ rows: 6, dim: 1, values }, [0, 0, 1, 1, 0, 1], 3);
    const p = predictLogistic(model, { rows: 1, dim: 1, values: Float64Array.of(1) });
    expect(p[2]).toBeLessThan(1e-3);
    expect((p[0] ?? 0) + (p[1] ?? 0) + (p[2] ?? 0)).toBeCloseTo(1, 12);
  });
});
