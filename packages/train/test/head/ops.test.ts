import { createSession, tf, trace } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { detach, layerNorm, linear, linearOfReal, maskedMean, need, unitRows } from '../../src/head/ops.ts';
import { gradients, random, values } from '../support/cpu-tensors.ts';
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

describe('linearOfReal', () => {
  const shapes = { x: [3, 4, 5], mask: [3, 4], w: [5, 2], b: [2], dy: [3, 4, 2] };
  const given = {
    ...Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, random(name, shape)])),
    mask: tf.tensor2d([
      [1, 1, 0, 0],
      [0, 0, 0, 0],
      [1, 1, 1, 1],
    ]),
  };

  /** Values at real steps, and the gradients of their product with dy by x, w and b. */
  function results(tensors: { readonly [name: string]: tf.Tensor }): Record<string, tf.Tensor> {
    const get = (name: string): tf.Tensor => tensors[name] as tf.Tensor;
    const real = tf.expandDims(get('mask'), 2);
    const own = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      tf.mul(linearOfReal(x, get('mask'), { w, b }), real);
    const [dx, dw, db] = tf.grads((...args) => {
      const [x, w, b] = args as [tf.Tensor, tf.Tensor, tf.Tensor];
      return tf.sum(tf.mul(own(x, w, b), get('dy')));
    })([get('x'), get('w'), get('b')]) as [tf.Tensor, tf.Tensor, tf.Tensor];
    return { y: own(get('x'), get('w'), get('b')), dx, dw, db };
  }

  it('traced, on real steps only, equals the product of all steps', async () => {
    const inputs = Object.entries(shapes).map(
      ([name, shape]) => ({ name, shape, dtype: 'float32' }) as const,
    );
    const session = await createSession(trace(inputs, results).bytes, { device: 'cpu' });
    const feeds = Object.entries(given).map(([name, tensor]) => [
      name,
      { data: tensor.dataSync() as Float32Array, shape: tensor.shape },
    ]);
    const traced = await session.run(Object.fromEntries(feeds));
    await session.release();
    for (const [name, expected] of Object.entries(results(given))) {
      const found = traced[name]?.data as Float32Array;
      expect(largestDifference([...found], values(expected)), name).toBeLessThan(1e-6);
      expect(values(expected).some((value) => value !== 0)).toBe(true);
    }
  });
});
