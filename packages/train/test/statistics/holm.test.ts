import { describe, expect, it } from 'vitest';
import { holm } from '../../src/statistics/holm.ts';

describe('holm', () => {
  it('steps down: each p value times the number of those not yet passed, never falling', () => {
    // by hand: 0.01 x 4, 0.02 x 3, then 0.03 x 2 and 0.04 x 1, both below what came before
    const found = holm([0.04, 0.01, 0.03, 0.02]);
    [0.06, 0.04, 0.06, 0.06].forEach((p, i) => expect(found[i]).toBeCloseTo(p, 12));
  });

  it('ends at 1, and leaves out what was not tested', () => {
    expect(holm([0.9, NaN, 0.6])).toEqual([1, NaN, 1]);
    expect(holm([0.03])).toEqual([0.03]);
    expect(holm([])).toEqual([]);
  });
});
