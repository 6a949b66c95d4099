import { describe, expect, it } from 'vitest';
import { groupByKey, windowsOf } from '../../src/run/group.ts';

const self = (row: number): number => row;

describe('groupByKey', () => {
  it('batches equal keys in the order of their first row', () => {
    const batches = groupByKey([5, 3, 5, 4, 3, 5], self, self, { rows: 8, length: 100 });
    expect(batches).toEqual([[5, 5, 5], [3, 3], [4]]);
  });

  it('opens a new batch where one is full', () => {
    expect(groupByKey([5, 5, 5, 5, 5], self, self, { rows: 2, length: 100 })).toEqual([[5, 5], [5, 5], [5]]);
    expect(groupByKey([5, 5, 5], self, self, { rows: 8, length: 10 })).toEqual([[5, 5], [5]]);
    expect(groupByKey([50, 50], self, self, { rows: 8, length: 10 })).toEqual([[50], [50]]);
  });
});

describe('windowsOf', () => {
  it('keeps the order, within rows and seconds', () => {
    expect(windowsOf([1, 1, 1, 9, 1, 20, 1], self, { rows: 3, seconds: 10 })).toEqual([
      [1, 1, 1],
      [9, 1],
      [20],
      [1],
    ]);
    expect(windowsOf([], self, { rows: 3, seconds: 10 })).toEqual([]);
  });

  it('begins small and doubles', () => {
    const ones = Array.from({ length: 20 }, () => 1);
    const sizes = windowsOf(ones, self, { rows: 8, seconds: 100 }, { rows: 2, seconds: 100 });
    expect(sizes.map(({ length }) => length)).toEqual([2, 4, 8, 6]);
    const bySeconds = windowsOf(ones, self, { rows: 99, seconds: 7 }, { rows: 99, seconds: 3 });
    expect(bySeconds.map(({ length }) => length)).toEqual([3, 6, 7, 4]);
  });
});
