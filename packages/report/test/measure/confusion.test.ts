import { expect, it } from 'vitest';
import { normalisedConfusion } from '../../src/measure/confusion.ts';

it('divides each row by the truth, seeds together, what has no prediction included', () => {
  const found = normalisedConfusion([
    {
      confusion: [
        [3, 1],
        [0, 2],
      ],
      unanswered: [0, 2],
    },
    {
      confusion: [
        [1, 3],
        [2, 2],
      ],
      unanswered: [0, 0],
    },
  ]);
  expect(found.shares).toEqual([
    [0.5, 0.5],
    [0.25, 0.5],
  ]);
  expect(found.unanswered).toEqual([0, 0.25]);
  expect(found.support).toEqual([4, 4]);
});

it('has no share of a class that does not occur', () => {
  const found = normalisedConfusion([
    {
      confusion: [
        [1, 0],
        [0, 0],
      ],
      unanswered: [0, 0],
    },
  ]);
  expect(found.shares[1]).toEqual([NaN, NaN]);
  expect(() => normalisedConfusion([])).toThrow('no confusion matrix');
});
