import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { detach, layerNorm, linear, maskedMean, need, unitRows } from '../../src/head/ops.ts';
import { gradients, values } from '../support/cpu-tensors.ts';
import { largestDifference } from '../support/head-golden.ts';

describe('need', () => {
  it('names what is missing and what there is', () => {
    expect(() => need({ a: tf.scalar(1) }, 'b')).toThrow('tensor b is missing; found a');
  });
});

describe('linear', () => {
  it('acts on the last axis of any rank', () => {
    const weights = {
      w: tf.tensor2d([
        [1, 2, 3],
        [10, 20, 30],
      ]),
      b: tf.tensor1d([0.5, 0, 0]),
    };
    const out = linear(
      tf.tensor([
        [
          [1, 0],
          [0, 1],
        ],
      ]),
      weights,
    );
    expect(out.shape).toEqual([1, 2, 3]);
    expect(values(out)).toEqual([1.5, 2, 3, 10.5, 20, 30]);
  });
});

describe('maskedMean', () => {
  it('averages the real steps and gives 0 where there are none', () => {
    const h = tf.tensor([
      [
        [1, 2],
        [3, 4],
        [1e9, 1e9],
      ],
      [
        [5, 6],
        [7, 8],
        [9, 10],
      ],
    ]);
    expect(
      values(
        maskedMean(
          h,
          tf.tensor([
            [1, 1, 0],
            [0, 0, 0],
          ]),
        ),
      ),
    ).toEqual([2, 3, 0, 0]);
  });
});

describe('layerNorm', () => {
  it('has mean 0, variance 1 before gain and bias, with epsilon 1e-5', () => {
    const out = layerNorm(tf.tensor([[1, 3]]), tf.tensor1d([1, 2]), tf.tensor1d([0, 10]));
    const one = 1 / Math.sqrt(1 + 1e-5);
    expect(largestDifference(values(out), [-one, 10 + 2 * one])).toBeLessThan(1e-6);
  });
});

describe('detach', () => {
  it('keeps the values and stops the gradient', () => {
    const x = tf.tensor1d([2, 3]);
    expect(values(detach(x))).toEqual([2, 3]);
    expect(gradients((y) => tf.sum(tf.mul(y, detach(y))), [x])).toEqual([[2, 3]]);
  });
});

describe('unitRows', () => {
  it('scales rows to length 1; a row of zeros stays, with a finite gradient', () => {
    const x = tf.tensor2d([
      [3, 4],
      [0, 0],
    ]);
    expect(largestDifference(values(unitRows(x)), [0.6, 0.8, 0, 0])).toBeLessThan(1e-6);
    const [gradient] = gradients(
      (y) =>
        tf.sum(
          tf.mul(
            unitRows(y),
            tf.tensor2d([
              [1, 1],
              [0, 0],
            ]),
          ),
        ),
      [x],
    );
    expect((gradient as number[]).every(Number.isFinite)).toBe(true);
  });
});
