import { describe, expect, it } from 'vitest';
import { scalingOf, standardised } from '../../src/probe/standardise.ts';

describe('standardising', () => {
  it('uses mean and standard deviation (over n) of the training rows, 1 for a constant column', () => {
    const matrix = { rows: 4, dim: 2, values: Float64Array.from([1, 0.1, 3, 0.1, 5, 0.1, 100, 7]) };
    const scaling = scalingOf(matrix, [0, 1, 2]);
    expect([...scaling.mean]).toEqual([3, expect.closeTo(0.1, 12)]);
    expect([...scaling.scale]).toEqual([expect.closeTo(Math.sqrt(8 / 3), 12), 1]);
    const { rows, values } = standardised(matrix, [3, 0], scaling);
    expect(rows).toBe(2);
    expect(values[0]).toBeCloseTo(97 / Math.sqrt(8 / 3), 10);
    expect(values[1]).toBeCloseTo(6.9, 10);
    expect(values[2]).toBeCloseTo(-2 / Math.sqrt(8 / 3), 10);
  });
});
