import { expect, it } from 'vitest';
import { weightNorm } from '../../src/checkpoint/weight-norm.ts';

it('scales each slice along the axis of the gain to its length', () => {
  // [2, 1, 2]: slices along the last axis are (3, 4) and (0, 2).
  const direction = Float32Array.of(3, 0, 4, 2);
  expect([...weightNorm(Float32Array.of(10, 6), [1, 1, 2], direction, [2, 1, 2])]).toEqual([6, 0, 8, 6]);
  // Along the first axis: (3, 0) and (4, 2).
  const first = weightNorm(Float32Array.of(6, 1), [2, 1, 1], direction, [2, 1, 2]);
  expect([...first].map((value) => value.toFixed(4))).toEqual(['6.0000', '0.0000', '0.8944', '0.4472']);
});
