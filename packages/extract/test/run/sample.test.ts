import { describe, expect, it } from 'vitest';
import { spread } from '../../src/run/sample.ts';

describe('spread', () => {
  it('takes the middle of equal stretches', () => {
    const items = Array.from({ length: 10 }, (_, i) => i);
    expect(spread(items, 1)).toEqual([5]);
    expect(spread(items, 5)).toEqual([1, 3, 5, 7, 9]);
    expect(spread(items, 20)).toEqual(items);
    expect(spread([], 3)).toEqual([]);
  });
});
