import { describe, expect, it } from 'vitest';
import { extrapolate } from '../../src/run/forecast.ts';

describe('extrapolate', () => {
  it('follows the line through what was measured', () => {
    // 2 + 3 a unit
    expect(extrapolate([1, 2, 4], [5, 8, 14], [1, 10])).toBeCloseTo(5 + 32, 9);
  });

  it('takes the mean where sizes do not differ', () => {
    expect(extrapolate([3, 3], [4, 6], [3, 3, 9])).toBeCloseTo(15, 9);
  });

  it('neither falls with size nor begins below zero', () => {
    expect(extrapolate([1, 2], [6, 2], [100])).toBeCloseTo(4, 9);
    expect(extrapolate([10, 20], [1, 9], [0, 15])).toBeCloseTo(5, 9);
  });

  it('knows nothing from nothing', () => {
    expect(extrapolate([], [], [1])).toBeNaN();
  });
});
