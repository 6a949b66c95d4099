import { describe, expect, it } from 'vitest';
import { rateFactor } from '../../src/fit/schedule.ts';
import { largestDifference } from '../support/head-golden.ts';
import { golden } from '../support/options-golden.ts';

describe('rateFactor', () => {
  it.each(golden.schedules)("$schedule with warm-up $warmup is transformers'", (one) => {
    const factors = one.factors.map((_, step) => rateFactor(one, step / one.factors.length));
    expect(largestDifference(factors, one.factors)).toBeLessThan(1e-12);
  });
});
