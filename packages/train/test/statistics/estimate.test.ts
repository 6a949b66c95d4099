import { describe, expect, it } from 'vitest';
import { estimate } from '../../src/statistics/estimate.ts';
import { golden } from './golden.ts';

const near = (actual: number, expected: number): void =>
  expect(Math.abs(actual - expected), `${actual} for ${expected}`).toBeLessThan(
    1e-6 * Math.abs(expected) + 1e-9,
  );

describe('estimate', () => {
  it.each(golden.estimates)('has the standard error and interval of numpy and scipy: $name', (one) => {
    const found = estimate(
      one.observed,
      one.drawn.map((values) => Float64Array.from(values)),
      one.unitsDf,
    );
    for (const key of ['value', 'se', 'df', 'p', 'detectable'] as const) near(found[key], one[key]);
    near(found.interval[0], one.interval[0]);
    near(found.interval[1], one.interval[1]);
    expect(found.coversSeeds).toBe(one.observed.length > 1);
  });

  it('counts once what seeds and units both vary by', () => {
    const loud = golden.estimates.find((one) => one.name === 'loud seeds');
    const drawn = (loud?.drawn ?? []).map((values) => Float64Array.from(values));
    const { variance, se } = estimate(loud?.observed ?? [], drawn, 146);
    near(se ** 2, (variance.seeds ?? NaN) + variance.units - (variance.both ?? NaN));
    expect(variance.both).toBeGreaterThan(0);
  });

  it('has no variance over seeds with one seed', () => {
    const found = estimate([0.7], [Float64Array.from([0.6, 0.7, 0.8])], 10);
    expect(found).toMatchObject({ sdSeeds: null, variance: { seeds: null, both: null }, df: 10 });
    near(found.se, 0.1);
  });
});
