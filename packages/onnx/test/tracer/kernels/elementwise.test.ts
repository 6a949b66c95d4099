import { describe, expect, it } from 'vitest';
import { tf } from '@lsgmer/onnx';
import { expectSame, type Op, reference } from '../compare.ts';

describe(`elementwise kernels against tfjs (${reference})`, () => {
  const binary: Record<string, Op> = {
    add: (a, b) => tf.add(a, b),
    sub: (a, b) => tf.sub(a, b),
    mul: (a, b) => tf.mul(a, b),
  };
  // Their gradients in tfjs fit operands of one shape only.
  const paired: Record<string, Op> = {
    maximum: (a, b) => tf.maximum(a, b),
    minimum: (a, b) => tf.minimum(a, b),
    squaredDifference: (a, b) => tf.squaredDifference(a, b),
  };
  it.each(Object.entries(paired))('%s, with gradients, and broadcast', async (_, op) => {
    await expectSame(op, [{ shape: [3, 5] }, { shape: [3, 5] }]);
    await expectSame(op, [{ shape: [4, 3, 5] }, { shape: [3, 1] }], { gradients: false });
  });
  it.each(Object.entries(binary))('%s, equal shapes and broadcast, with gradients', async (_, op) => {
    await expectSame(op, [{ shape: [3, 5] }, { shape: [3, 5] }]);
    await expectSame(op, [{ shape: [4, 3, 5] }, { shape: [3, 1] }]);
    await expectSame(op, [{ shape: [] }, { shape: [2, 2] }]);
  });

  it('div and pow away from zero, with gradients', async () => {
    const positive = { low: 0.5, high: 3 };
    await expectSame((a, b) => tf.div(a, b), [{ shape: [2, 3, 4] }, { shape: [4], ...positive }]);
    await expectSame((a, b) => tf.pow(a, b), [{ shape: [3, 4], ...positive }, { shape: [3, 4] }]);
  });

  const unary: Record<string, Op> = {
    abs: (x) => tf.abs(x),
    clip: (x) => tf.clipByValue(x, -0.7, 1.1),
    elu: (x) => tf.elu(x),
    erf: (x) => tf.erf(x),
    exp: (x) => tf.exp(x),
    expm1: (x) => tf.expm1(x),
    leakyRelu: (x) => tf.leakyRelu(x, 0.3),
    neg: (x) => tf.neg(x),
    relu: (x) => tf.relu(x),
    relu6: (x) => tf.relu6(x),
    sigmoid: (x) => tf.sigmoid(x),
    sign: (x) => tf.sign(x),
    softplus: (x) => tf.softplus(x),
    square: (x) => tf.square(x),
    tanh: (x) => tf.tanh(x),
  };
  it.each(Object.entries(unary))('%s with gradient', async (_, op) => {
    await expectSame(op, [{ shape: [2, 3, 7] }]);
    await expectSame(op, [{ shape: [11], low: -9, high: 9 }]);
  });

  const positive: Record<string, Op> = {
    log: (x) => tf.log(x),
    log1p: (x) => tf.log1p(x),
    reciprocal: (x) => tf.reciprocal(x),
    rsqrt: (x) => tf.rsqrt(x),
    sqrt: (x) => tf.sqrt(x),
  };
  it.each(Object.entries(positive))('%s of positive numbers with gradient', async (_, op) => {
    await expectSame(op, [{ shape: [5, 4], low: 0.3, high: 5 }]);
  });

  const stepped: Record<string, Op> = {
    ceil: (x) => tf.ceil(x),
    floor: (x) => tf.floor(x),
    round: (x) => tf.round(x),
    step: (x) => tf.step(x),
    stepWithSlope: (x) => tf.step(x, 0.25),
  };
  it.each(Object.entries(stepped))('%s', async (_, op) => {
    await expectSame(op, [{ shape: [6], values: [-1.5, -0.5, 0, 0.5, 1.5, 2.2] }], { gradients: false });
  });

  const comparisons: Record<string, Op> = {
    equal: (a, b) => tf.equal(a, b),
    greater: (a, b) => tf.greater(a, b),
    greaterEqual: (a, b) => tf.greaterEqual(a, b),
    less: (a, b) => tf.less(a, b),
    lessEqual: (a, b) => tf.lessEqual(a, b),
    notEqual: (a, b) => tf.notEqual(a, b),
    combined: (a, b) =>
      tf.logicalOr(tf.logicalNot(tf.greater(a, 0)), tf.logicalAnd(tf.less(a, b), tf.greater(b, 1))),
  };
  it.each(Object.entries(comparisons))('%s', async (_, op) => {
    const few = { dtype: 'int32', low: -2, high: 3 } as const;
    await expectSame(
      op,
      [
        { shape: [5, 6], ...few },
        { shape: [6], ...few },
      ],
      { gradients: false },
    );
  });

  it('where with gradients', async () => {
    const rows: Op = (a, b) => {
      const chosen = tf.greater(tf.tensor2d([1, -1, 1, -1, 1, 1], [2, 3]), 0);
      return tf.where(chosen, a, b);
    };
    await expectSame(rows, [{ shape: [2, 3] }, { shape: [2, 3] }]);
  });

  it('addN and cast', async () => {
    await expectSame(
      (a, b, c) => tf.addN([a, b, c]),
      [{ shape: [2, 3] }, { shape: [2, 3] }, { shape: [2, 3] }],
    );
    const casts: Op = (x) => [
      tf.cast(x, 'int32'),
      tf.cast(x, 'bool'),
      tf.cast(tf.greater(x, 0), 'float32'),
      tf.cast(x, 'float32'),
    ];
    await expectSame(casts, [{ shape: [5], values: [-1.7, -0.2, 0, 0.9, 2.5] }], { gradients: false });
  });

  it('the comparison itself notices a wrong gradient', async () => {
    const wrong = tf.customGrad((x) => ({
      value: tf.exp(x as tf.Tensor),
      // Right on one backend only.
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.getBackend() === 'cpu' ? 1 : 1.001),
    }));
    await expect(expectSame((x) => wrong(x), [{ shape: [3] }])).rejects.toThrow('result 1');
  });
});
