import { describe, expect, it } from 'vitest';
import { RandomWeights, RecordedWeights } from '../../src/encoders/weight-source.ts';

const unit = (): { mean: number; sd: number } => ({ mean: 0, sd: 1 });

describe('RandomWeights', () => {
  it('has the mean and standard deviation that were asked for', () => {
    const values = new RandomWeights(1, () => ({ mean: 3, sd: 0.5 })).tensor('w', [200, 200]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(3, 2);
    expect(Math.sqrt(variance)).toBeCloseTo(0.5, 2);
  });

  it('depends on seed and name, not on the order of calls', () => {
    const a = new RandomWeights(1, unit);
    const first = a.tensor('a', [4]);
    const second = a.tensor('b', [4]);
    const b = new RandomWeights(1, unit);
    expect([b.tensor('b', [4]), b.tensor('a', [2, 2])]).toEqual([second, first]);
    expect(new RandomWeights(2, unit).tensor('a', [4])).not.toEqual(first);
  });
});

describe('RecordedWeights', () => {
  it('gives a digest of names, shapes and values in any order', () => {
    const digest = (names: string[], seed = 1): string => {
      const recorded = new RecordedWeights(new RandomWeights(seed, unit));
      for (const name of names) recorded.tensor(name, [2]);
      return recorded.digest();
    };
    expect(digest(['a', 'b'])).toBe(digest(['b', 'a']));
    expect(digest(['a', 'b'])).not.toBe(digest(['a', 'b'], 2));
    expect(digest(['a'])).not.toBe(digest(['a', 'b']));
    expect(digest(['a', 'b'])).toMatch(/^[0-9a-f]{64}$/);
  });
});
