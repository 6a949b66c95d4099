import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { mapInTime, mapPooled } from '../../src/head/alexnet-map.ts';
import { adaptivePoolWeights } from '../../src/head/interpolation.ts';
import { repeated, values } from '../support/cpu-tensors.ts';

describe('mapInTime', () => {
  it('projects, then interpolates between neighbouring steps', () => {
    const map = tf.tensor([
      [
        [1, 0],
        [0, 1],
        [5, 5],
      ],
    ]); // [1, 3, 2]
    const position = tf.tensor([[0, 0.25, 1, 1.5, 2]]); // [1, 5]
    const weights = {
      w: tf.tensor2d([
        [10, 1],
        [20, 2],
      ]),
      b: tf.tensor1d([100, 0]),
    };
    // the steps projected: 110 1 | 120 2 | 250 15
    expect(values(mapInTime(map, position, weights))).toEqual([
      110, 1, 112.5, 1.25, 120, 2, 185, 8.5, 250, 15,
    ]);
  });

  it('takes each row at its own positions', () => {
    const map = tf.tensor([
      [[1], [2]],
      [[3], [7]],
    ]); // [2, 2, 1]
    const weights = { w: tf.tensor2d([[1]]), b: tf.tensor1d([0]) };
    const out = mapInTime(
      map,
      tf.tensor([
        [0.5, 1],
        [0, 0.75],
      ]),
      weights,
    );
    expect(values(out)).toEqual([1.5, 2, 3, 6]);
  });
});

describe('mapPooled', () => {
  it('pools 7 rows and the own steps to 6 x 6 and flattens channel, row, column', () => {
    const channels = 2;
    const steps = 6;
    const map = Array.from({ length: steps }, (_, step) =>
      Array.from({ length: channels * 7 }, (_, i) => 1000 * Math.floor(i / 7) + 10 * (i % 7) + step),
    );
    const pool = tf.tensor(adaptivePoolWeights(6, steps, 8), [1, 6, 8]);
    const padded = [...map, ...Array.from({ length: 2 }, () => repeated(9e9, 14))];
    const size = channels * 36;
    const identity = { w: tf.eye(size), b: tf.zeros([size]) };
    const out = mapPooled(tf.tensor([padded]), pool, identity);
    expect(out.shape).toEqual([1, 1, size]);
    const expected: number[] = [];
    for (let channel = 0; channel < channels; channel++)
      for (let row = 0; row < 6; row++)
        for (let column = 0; column < 6; column++)
          // bin `row` averages the rows `row` and `row + 1`
          expected.push(1000 * channel + 10 * (row + 0.5) + column);
    values(out).forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 3));
  });
});
