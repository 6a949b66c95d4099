import { expect, it } from 'vitest';
import { curve } from '../../src/measure/curves.ts';

const series = (seed: number, fold: string, values: (number | null)[]) => ({ seed, fold, values });

it('is the mean over seeds of the mean over folds, with the range of the seeds', () => {
  const found = curve(
    [series(1, 'a', [1, 2]), series(1, 'b', [3, 4]), series(2, 'a', [5, 6]), series(2, 'b', [7, 10])],
    ['a', 'b'],
  );
  expect(found).toEqual([
    { epoch: 1, mean: 4, low: 2, high: 6, seeds: 2 },
    { epoch: 2, mean: 5.5, low: 3, high: 8, seeds: 2 },
  ]);
});

it('never averages a seed that lacks a fold at an epoch', () => {
  const found = curve(
    [
      series(1, 'a', [1, 2]),
      series(1, 'b', [3]),
      series(2, 'a', [9, 9]),
      series(3, 'a', [1]),
      series(3, 'b', [null]),
    ],
    ['a', 'b'],
  );
  expect(found).toEqual([{ epoch: 1, mean: 2, low: 2, high: 2, seeds: 1 }]);
  expect(curve([], ['a'])).toEqual([]);
});
