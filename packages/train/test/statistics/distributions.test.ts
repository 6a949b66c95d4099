import { describe, expect, it } from 'vitest';
import { signTest, tQuantile, tTwoSided } from '../../src/statistics/distributions.ts';
import { golden } from './golden.ts';

describe('Student’s t', () => {
  it.each(golden.quantiles)('has the quantile of scipy: $p, $df', ({ p, df, t }) => {
    expect(Math.abs(tQuantile(p, df) / t - 1)).toBeLessThan(1e-6);
  });

  it.each(golden.tails)('has the two-sided p of scipy: $t, $df', ({ t, df, p }) => {
    expect(Math.abs(tTwoSided(t, df) - p)).toBeLessThanOrEqual(1e-7 * p + 1e-15);
  });

  it('is the normal distribution for endless degrees of freedom', () => {
    expect(tQuantile(0.975, Infinity)).toBeCloseTo(1.95996, 4);
    expect(tTwoSided(1.959963985, Infinity)).toBeCloseTo(0.05, 5);
  });

  it('knows a difference without any variance, and none at all', () => {
    expect(tTwoSided(Infinity, 4)).toBe(0);
    expect(tTwoSided(NaN, 4)).toBeNaN();
  });
});

describe('signTest', () => {
  it.each(golden.signs)('is the exact binomial test of scipy: $k of $n', ({ k, n, p }) => {
    expect(Math.abs(signTest(k, n) - p)).toBeLessThan(1e-8);
  });
});
