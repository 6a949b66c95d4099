import { expect, it } from 'vitest';
import { monomial } from '../../src/tracer/monomial.ts';

const first = new Map([
  ['rows', 101],
  ['steps', 103],
]);
const second = new Map([
  ['rows', 131],
  ['steps', 137],
]);

it.each([
  [101, 131, { factor: 1, sizes: ['rows'] }],
  [4 * 101 * 103, 4 * 131 * 137, { factor: 4, sizes: ['rows', 'steps'] }],
  [101 * 101, 131 * 131, { factor: 1, sizes: ['rows', 'rows'] }],
  // a size of the model may be a multiple of a prime
  [101 * 103, 101 * 137, { factor: 101, sizes: ['steps'] }],
  [7, 7, { factor: 7, sizes: [] }],
  [102, 132, undefined],
  [101, 137, undefined],
  [0.5, 0.25, undefined],
])('%d and %d', (left, right, expected) => {
  expect(monomial(left, right, first, second)).toEqual(expected);
});
